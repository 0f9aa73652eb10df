// Command centrifuge serves the contract of `belfry bench` with the centrifuge
// library, in that library's terms: a room is a channel, `say` is a publication
// by a client, `echo` a remote call. It is a peer that Belfry is compared with:
//
//	belfry bench fanout --protocol centrifuge --url http://127.0.0.1:3000
//
// Processes with the same -redis are one server, by the library's Redis broker.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/centrifugal/centrifuge"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3000", "address to listen on")
	tuned := flag.Bool("tuned", false, "save memory: small read buffers, pooled write buffers, short-lived stacks")
	redis := flag.String("redis", "", "URL of the Redis that joins several processes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *redis, *tuned); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen, redis string, tuned bool) error {
	node, err := newNode()
	if err != nil {
		return err
	}
	if redis != "" {
		if err := useRedis(node, redis); err != nil {
			return err
		}
	}
	if err := node.Run(); err != nil {
		return fmt.Errorf("run node: %w", err)
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("listens on http://%s\n", ln.Addr())
	srv := &http.Server{Handler: handler(node, tuned), ReadHeaderTimeout: 10 * time.Second}
	return serve(ctx, srv, ln, node)
}

func serve(ctx context.Context, srv *http.Server, ln net.Listener, node *centrifuge.Node) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	// Whoever stops a benchmark does not wait for thousands of good-byes.
	late, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := errors.Join(node.Shutdown(late), srv.Close())
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// newNode returns a node with the library's defaults that serves the contract.
func newNode() (*centrifuge.Node, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, fmt.Errorf("make node: %w", err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) { contract(node, c) })
	return node, nil
}

// useRedis joins the nodes on that Redis, with the library's defaults.
func useRedis(node *centrifuge.Node, url string) error {
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: url})
	if err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		return fmt.Errorf("make Redis broker: %w", err)
	}
	node.SetBroker(broker)
	return nil
}

func contract(node *centrifuge.Node, c *centrifuge.Client) {
	c.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
		done(centrifuge.SubscribeReply{}, nil)
	})
	// The handler publishes itself, so that deliveries do not carry who
	// published: Socket.IO's do not either.
	c.OnPublish(func(e centrifuge.PublishEvent, done centrifuge.PublishCallback) {
		result, err := node.Publish(e.Channel, e.Data)
		done(centrifuge.PublishReply{Result: &result}, err)
	})
	c.OnRPC(func(e centrifuge.RPCEvent, done centrifuge.RPCCallback) {
		done(centrifuge.RPCReply{Data: e.Data}, nil)
	})
}

func handler(node *centrifuge.Node, tuned bool) http.Handler {
	var config centrifuge.WebsocketConfig
	if tuned {
		config.ReadBufferSize = 512
		config.UseWriteBufferPool = true
		config.ProcessCommandsOffReadLoop = true
	}
	mux := http.NewServeMux()
	mux.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, config))
	mux.HandleFunc("POST /api/publish", func(w http.ResponseWriter, r *http.Request) { publish(node, w, r) })
	return mux
}

// key is what `belfry bench --http` shows.
const key = "Bearer a-key-for-benchmarks-only-32-bytes"

// publish takes {rooms, event, args} as `belfry bench --http` sends it, and publishes
// the first argument to each channel.
func publish(node *centrifuge.Node, w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != key {
		http.Error(w, "{}", http.StatusUnauthorized)
		return
	}
	var in struct {
		Rooms []string          `json:"rooms"`
		Args  []json.RawMessage `json:"args"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Args) == 0 {
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	for _, room := range in.Rooms {
		if _, err := node.Publish(room, in.Args[0]); err != nil {
			http.Error(w, "{}", http.StatusServiceUnavailable)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "2")
	_, _ = w.Write([]byte("{}"))
}
