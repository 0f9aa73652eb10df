// Package stomp is a front for clients that speak STOMP 1.0, 1.1 or 1.2 over
// WebSocket. They meet the clients of other fronts in the rooms of one namespace.
//
//	frame                    direction   what it does here
//	CONNECT, STOMP           to server   version, heart-beats, who it is
//	CONNECTED                to client   the answer
//	SUBSCRIBE, UNSUBSCRIBE   to server   join and leave a room
//	SEND                     to server   publish to a room, or call the application
//	MESSAGE                  to client   an event of a room
//	ACK, NACK                to server   settle a MESSAGE
//	BEGIN, COMMIT, ABORT     to server   collect SEND, ACK, NACK, then do them
//	RECEIPT                  to client   a frame with a header receipt was done
//	DISCONNECT               to server   the last frame
//	ERROR                    to client   what is wrong; the connection ends
//
//	destination         SUBSCRIBE                            SEND
//	/topic/NAME         events of room NAME                  event to room NAME
//	/user/queue/NAME    event NAME to this user or client    the same, to oneself
//	/user/U/queue/NAME  -                                    event NAME to user U
//	/app/NAME           -                                    Options.App
//
// A frame goes from the poller's loop through the connection's inbox to a worker,
// which exists only while there is something to do. An event that goes out is
// encoded once for all subscriptions of the same id.
//
// Source: the STOMP specifications at stomp.github.io. docs/protocols.md has the
// mapping of bodies to arguments of events.
package stomp
