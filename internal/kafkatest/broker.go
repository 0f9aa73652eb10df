//go:build unix

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
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/child"
)

// startTimeout is for a slow machine that does something else as well.
const startTimeout = 90 * time.Second

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

// New makes a broker that does not run yet, with its files in a new folder in dir;
// empty: that for temporary files. An error says what is missing. Whoever has it ends
// it with Close.
func New(dir string) (*Broker, error) {
	libraries, err := libraries()
	if err != nil {
		return nil, err
	}
	b := &Broker{libraries: libraries}
	if b.dir, err = os.MkdirTemp(dir, "kafka-"); err != nil {
		return nil, err
	}
	if err := b.format(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// libraries returns the folder with the broker's files, which is in .cache of the
// checkout.
func libraries() (string, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", errors.New("java is not installed")
	}
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		libraries := filepath.Join(dir, ".cache", "kafka")
		if _, err := os.Stat(filepath.Join(libraries, "sum")); err == nil {
			return libraries, nil
		}
	}
	return "", errors.New("the Kafka broker is not there: run scripts/install kafka")
}

// format makes the settings and the storage of a new broker.
func (b *Broker) format() (err error) {
	var secure string
	for _, port := range []*string{&b.port, &b.control, &secure} {
		if *port, err = redistest.Port(); err != nil {
			return err
		}
	}
	if b.Secure, err = newSecure(secure); err != nil {
		return err
	}
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
	cmd := exec.Command("java", append([]string{
		"-Xms32m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-cp", filepath.Join(b.libraries, "*"),
	}, words...)...)
	child.Bind(cmd)
	return cmd
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

// Close ends the process and removes its files.
func (b *Broker) Close() {
	b.Kill()
	_ = os.RemoveAll(b.dir)
}
