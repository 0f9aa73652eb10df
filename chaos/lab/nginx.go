package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// wrapping is what belongs around a server of nginx that runs here alone.
const wrapping = `daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 65536;
events { worker_connections 16384; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	include %[1]s/belfry.conf;
}
`

// Nginx is the load balancer.
type Nginx struct {
	*Process
	URL string
}

// startNginx balances over the addresses as the template says, round robin or, if
// sticky, by a header that names the client.
func startNginx(ctx context.Context, dir, template string, to []string, sticky bool) (*Nginx, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(dir, "nginx")
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(template)
	if err != nil {
		return nil, err
	}
	site, err := adapt(string(text), address(port), to, sticky)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", template, err)
	}
	file := filepath.Join(home, "nginx.conf")
	err = errors.Join(
		os.WriteFile(filepath.Join(home, "belfry.conf"), []byte(site), 0o600),
		os.WriteFile(file, fmt.Appendf(nil, wrapping, home), 0o600),
	)
	if err != nil {
		return nil, err
	}
	n := &Nginx{
		Process: newProcess(dir, "nginx", "nginx", "-p", home, "-c", file, "-e", "stderr"),
		URL:     "http://" + address(port),
	}
	if err := n.Start(); err != nil {
		return nil, err
	}
	return n, until(ctx, "nginx", func() error {
		conn, err := net.Dial("tcp", address(port))
		if err == nil {
			err = conn.Close()
		}
		return err
	})
}

// nodeAddress is that of a node in the template, its number at the end.
var nodeAddress = regexp.MustCompile(`10\.0\.0\.1([0-9]):3000`)

// adapt puts addresses into a template that is otherwise used as it is.
func adapt(text, listen string, to []string, sticky bool) (string, error) {
	used := make(map[int]bool)
	text = nodeAddress.ReplaceAllStringFunc(text, func(addr string) string {
		i := int(nodeAddress.FindStringSubmatch(addr)[1][0] - '1')
		used[i] = true
		if i < 0 || i >= len(to) {
			return addr
		}
		return to[i]
	})
	if len(used) != len(to) || nodeAddress.MatchString(text) || !strings.Contains(text, "listen 80;") {
		return "", fmt.Errorf("is for %d nodes, want %d, and port 80", len(used), len(to))
	}
	if sticky {
		text = upstream.ReplaceAllString(text, "$0\n\thash $$http_x_client consistent;")
	}
	return strings.Replace(text, "listen 80;", "listen "+listen+";", 1), nil
}

var upstream = regexp.MustCompile(`(?m)^upstream \w+ \{`)

// ask expects 200 of a GET.
func ask(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return nil
}
