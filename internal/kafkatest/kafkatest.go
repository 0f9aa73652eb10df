//go:build unix

// Package kafkatest runs a Kafka broker for tests: the real one, a single node
// without ZooKeeper, on free ports of the loopback interface and in a folder of its
// own. scripts/install fetches it.
package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// startTimeout is for a slow machine that does something else as well.
const startTimeout = 90 * time.Second

// Bed is a broker that the tests of a package share: it takes seconds to start. The
// zero value is ready for use.
type Bed struct {
	once   sync.Once
	broker *Broker
	err    error
}

// Broker returns the broker, started by the first call. Without Java, or the
// broker's files, the test is skipped, or fails if BELFRY_REQUIRE is "all".
func (b *Bed) Broker(t testing.TB) *Broker {
	t.Helper()
	libraries := require(t)
	b.once.Do(func() {
		b.err = errors.New("the broker did not start: see the test that was the first to ask for it")
		b.broker, b.err = start(t, libraries)
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.broker
}

// Close ends the broker, for TestMain.
func (b *Bed) Close() {
	if b.broker != nil {
		b.broker.Kill()
		_ = os.RemoveAll(b.broker.dir)
	}
}

// require returns the folder with the broker's files.
func require(t testing.TB) string {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		missing = t.Fatalf
	}
	if _, err := exec.LookPath("java"); err != nil {
		missing("java is not installed")
	}
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		libraries := filepath.Join(dir, ".cache", "kafka")
		if _, err := os.Stat(filepath.Join(libraries, "sum")); err == nil {
			return libraries
		}
	}
	missing("the Kafka broker is not there: run scripts/install kafka")
	return ""
}

// Broker is a broker process.
type Broker struct {
	// Secure is how clients reach it by TLS and with a password.
	Secure Secure

	libraries string
	dir       string
	port      string
	control   string // the port of the controller

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it does not run
}

func start(t testing.TB, libraries string) (*Broker, error) {
	port, control, secure := redistest.FreePort(t), redistest.FreePort(t), redistest.FreePort(t)
	dir, err := os.MkdirTemp("", "kafkatest") // t.TempDir ends with t
	if err != nil {
		return nil, err
	}
	b := &Broker{libraries: libraries, dir: dir, port: port, control: control}
	if b.Secure, err = newSecure(secure); err == nil {
		err = b.format()
	}
	if err == nil {
		err = b.Run()
	}
	if err != nil {
		b.Kill()
		err = fmt.Errorf("%w\n%s", err, b.Log())
		_ = os.RemoveAll(dir)
	}
	return b, err
}

// format makes the settings and the storage of a new broker.
func (b *Broker) format() error {
	if err := os.WriteFile(b.file("server.properties"), []byte(b.properties()), 0o600); err != nil {
		return err
	}
	out, err := b.java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk",
		"-c", b.file("server.properties"),
		"--add-scram", b.Secure.scram("SCRAM-SHA-256"), "--add-scram", b.Secure.scram("SCRAM-SHA-512"),
	).CombinedOutput()
	if err != nil {
		return fmt.Errorf("format the storage: %w\n%s", err, out)
	}
	return nil
}

func (b *Broker) file(name string) string { return filepath.Join(b.dir, name) }

// java starts quickly rather than running fast.
func (b *Broker) java(words ...string) *exec.Cmd {
	return exec.Command("java", append([]string{
		"-Xms32m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-cp", filepath.Join(b.libraries, "*"),
	}, words...)...)
}

// Run starts the process, again after Kill or Stop with the same ports and data. It
// returns when the broker answers.
func (b *Broker) Run() error {
	log, err := os.OpenFile(b.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := b.java("kafka.Kafka", b.file("server.properties"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	b.mu.Lock()
	b.cmd = cmd
	b.mu.Unlock()
	return b.await()
}

func (b *Broker) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.RetryBackoffFn(func(int) time.Duration {
		return 20 * time.Millisecond
	}))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		if err = client.Ping(ctx); err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("kafka does not answer: %w", err)
		}
	}
}

// Addr is host and port.
func (b *Broker) Addr() string { return net.JoinHostPort("127.0.0.1", b.port) }

// Log returns what the broker has warned of.
func (b *Broker) Log() string {
	text, _ := os.ReadFile(b.file("log"))
	return string(text)
}

// Kill ends the process at once and waits for its end.
func (b *Broker) Kill() { b.end(syscall.SIGKILL) }

// Stop lets the process end by itself and waits for its end.
func (b *Broker) Stop() { b.end(syscall.SIGTERM) }

func (b *Broker) end(sig syscall.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Signal(sig)
	_ = b.cmd.Wait()
	b.cmd = nil
}
