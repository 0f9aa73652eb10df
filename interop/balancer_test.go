package interop

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// balancer is a load balancer with the configuration in deploy/, of which only
// the addresses are changed.
type balancer struct {
	name string
	file string // in deploy/
	// listen is the line there that says where to listen, listenOn the same for
	// another address.
	listen, listenOn string
	// command writes what else the program needs into a directory and returns its
	// arguments.
	command func(t *testing.T, dir, config string) []string
}

var balancers = []balancer{
	{
		name: "nginx", file: "nginx/belfry.conf", listen: "listen 80;", listenOn: "listen %s;",
		command: nginxCommand,
	},
	{
		name: "haproxy", file: "haproxy/haproxy.cfg", listen: "bind :80\n", listenOn: "bind %s\n",
		command: func(_ *testing.T, _, config string) []string {
			return []string{"-db", "-f", config}
		},
	},
}

// nginxCommand includes the configuration as Debian's nginx.conf does.
func nginxCommand(t *testing.T, dir, config string) []string {
	main := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/pid; error_log stderr warn;
		events { worker_connections 1024; }
		http {
			access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
			fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
			include %[2]s;
		}`, dir, config)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"-e", "stderr", "-p", dir, "-c", file}
}

// start runs the balancer in front of three nodes, given by their addresses, until
// the end of the test. It returns its address.
func (b balancer) start(t *testing.T, nodes [3]string) string {
	t.Helper()
	program := tool(t, b.name)
	for range 3 {
		addr := freeAddress(t)
		dir := t.TempDir()
		config := filepath.Join(dir, "balancer.conf")
		if err := os.WriteFile(config, []byte(b.configuration(t, addr, nodes)), 0o600); err != nil {
			t.Fatal(err)
		}
		if runs(t, program, b.command(t, dir, config), addr) {
			return addr
		}
	}
	t.Fatalf("%s did not start", b.name)
	return ""
}

func (b balancer) configuration(t *testing.T, addr string, nodes [3]string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "deploy", b.file))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	replace := func(old, with string) {
		if !strings.Contains(text, old) {
			t.Fatalf("deploy/%s has no %q", b.file, old)
		}
		text = strings.ReplaceAll(text, old, with)
	}
	replace(b.listen, fmt.Sprintf(b.listenOn, addr))
	for i, node := range nodes {
		replace(fmt.Sprintf("10.0.0.1%d:3000", i+1), node)
	}
	return text
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// runs starts a program and reports whether it has come to listen. It is ended with
// the test.
func runs(t *testing.T, program string, args []string, addr string) bool {
	t.Helper()
	cmd := exec.Command(program, args...)
	var output lockedBuffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the test
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
		if t.Failed() {
			t.Logf("%s says:\n%s", program, output.String())
		}
	})
	return listens(addr, exited)
}

func listens(addr string, exited <-chan struct{}) bool {
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return true
		}
		select {
		case <-exited:
			return false
		case <-tick.C:
		}
	}
	return false
}

// lockedBuffer keeps what a program says.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
