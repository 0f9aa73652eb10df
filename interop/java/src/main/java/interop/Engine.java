package interop;

import io.socket.client.Manager;
import io.socket.engineio.client.Socket;
import io.socket.engineio.client.Transport;
import java.lang.reflect.Field;

/** What lies below a socket; the library keeps it to itself. */
final class Engine {
  private static Socket of(Peer peer) throws ReflectiveOperationException {
    Field engine = Manager.class.getDeclaredField("engine");
    engine.setAccessible(true);
    return (Socket) engine.get(peer.socket.io());
  }

  static String transport(Peer peer) throws ReflectiveOperationException {
    Field transport = Socket.class.getDeclaredField("transport");
    transport.setAccessible(true);
    return ((Transport) transport.get(of(peer))).name;
  }

  static void close(Peer peer) throws ReflectiveOperationException {
    of(peer).close();
  }

  private Engine() {}
}
