package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/websocket"
)

// profile is an entry of testdata/profiles.json. Options have the names and
// units that they have in Socket.IO on Node.js.
type profile struct {
	Name    string `json:"name"`
	Cluster string `json:"cluster"` // servers of the same cluster act as one
	Engine  bool   `json:"engine"`  // Engine.IO alone, which echoes
	Msgpack bool   `json:"msgpack"` // Belfry tells by the first message
	Deny    string `json:"deny"`    // refuse every session with this text
	Forward bool   `json:"forward"` // pass requests on to the other servers of the cluster

	AllowEIO3         bool                 `json:"allowEIO3"`
	AllowUpgrades     *bool                `json:"allowUpgrades"`
	Transports        []engineio.Transport `json:"-"`
	TransportNames    []string             `json:"transports"`
	PingInterval      millis               `json:"pingInterval"`
	PingTimeout       millis               `json:"pingTimeout"`
	ConnectTimeout    millis               `json:"connectTimeout"`
	MaxHTTPBufferSize int                  `json:"maxHttpBufferSize"`
	PerMessageDeflate bool                 `json:"perMessageDeflate"`
	Recovery          *recovery            `json:"connectionStateRecovery"`
	CORS              *cors                `json:"cors"`
	Cookie            *cookie              `json:"cookie"`
}

type recovery struct {
	MaxDisconnectionDuration millis `json:"maxDisconnectionDuration"`
}

type millis int

func (m millis) duration() time.Duration { return time.Duration(m) * time.Millisecond }

func readProfiles(file string) ([]profile, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var all []profile
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("decode profiles: %w", err)
	}
	for i := range all {
		if all[i].Transports, err = transports(all[i].TransportNames); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func transports(names []string) (all []engineio.Transport, err error) {
	for _, name := range names {
		switch name {
		case engineio.Polling.String():
			all = append(all, engineio.Polling)
		case engineio.WebSocket.String():
			all = append(all, engineio.WebSocket)
		default:
			return nil, fmt.Errorf("unknown transport %q", name)
		}
	}
	return all, nil
}

func (p profile) path() string {
	if p.Engine {
		return "/engine.io/"
	}
	return "/socket.io/"
}

func (p profile) engineOptions() engineio.Options {
	o := engineio.Options{
		AllowEIO3:    p.AllowEIO3,
		NoUpgrades:   p.AllowUpgrades != nil && !*p.AllowUpgrades,
		Transports:   p.Transports,
		PingInterval: p.PingInterval.duration(),
		PingTimeout:  p.PingTimeout.duration(),
		MaxPayload:   p.MaxHTTPBufferSize,
		CORS:         (*engineio.CORS)(p.CORS),
		Cookie:       (*engineio.Cookie)(p.Cookie),
	}
	if p.PerMessageDeflate {
		o.Deflate = &websocket.DeflateOptions{}
	}
	if p.Deny != "" {
		o.AllowRequest = func(*http.Request) error { return errors.New(p.Deny) }
	}
	return o
}

func (p profile) options() socketio.Options {
	o := socketio.Options{EngineIO: p.engineOptions(), ConnectTimeout: p.ConnectTimeout.duration()}
	if p.Recovery != nil {
		o.Recovery = &socketio.Recovery{MaxDisconnection: p.Recovery.MaxDisconnectionDuration.duration()}
	}
	return o
}
