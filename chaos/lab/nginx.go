package lab

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// configuration of the load balancer. Only the upstream block differs between
// subjects: whether clients must stay on one server.
const configuration = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	map $http_upgrade $connection_upgrade {
		default upgrade;
		"" "";
	}
	upstream nodes {
		%[3]s
	}
	server {
		listen %[2]s;
		location / {
			proxy_pass http://nodes;
			proxy_http_version 1.1;
			proxy_set_header Host $host;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_buffering off;
			proxy_connect_timeout 2s;
			proxy_read_timeout 60s;
			proxy_send_timeout 60s;
		}
	}
}
`

// Nginx is the load balancer.
type Nginx struct {
	*Process
	URL string
}

// startNginx balances over the addresses, round robin or, if sticky, by a header
// that names the client.
func startNginx(ctx context.Context, dir string, to []string, sticky bool) (*Nginx, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var upstream strings.Builder
	if sticky {
		upstream.WriteString("hash $http_x_client consistent;\n")
	}
	for _, addr := range to {
		fmt.Fprintf(&upstream, "server %s max_fails=1 fail_timeout=1s;\n", addr)
	}
	home := filepath.Join(dir, "nginx")
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(home, "nginx.conf")
	text := fmt.Sprintf(configuration, home, address(port), upstream.String())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	n := &Nginx{
		Process: newProcess(dir, "nginx", "nginx", "-p", home, "-c", file, "-e", "stderr"),
		URL:     "http://" + address(port),
	}
	if err := n.Start(); err != nil {
		return nil, err
	}
	return n, until(ctx, "nginx", func() error { return ask(ctx, n.URL+"/healthz/ready") })
}

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
