// Package kafkaconn connects to a Kafka cluster, 2.4 or newer. It is the one place
// that knows how the driver is to be set up for sources and queues.
package kafkaconn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Options say which Kafka. URL is required.
type Options struct {
	// URL is kafka://user:password@host:port, kafkas:// for TLS; more brokers by
	// ?addr=host:port&addr=…; one that answers is enough to find the others. With a
	// user, ?sasl= is scram-sha-512 (default), scram-sha-256 or plain; plain needs
	// TLS, or a broker on this machine.
	URL string
	// TLS, with kafkas://, says which certificates to trust, and which to show. Its
	// ServerName may be empty: then that of each address counts. Default: the roots
	// of the system.
	TLS *tls.Config
	// Timeout is how long to wait for a connection. Default 10 s, at least 100 ms.
	Timeout time.Duration
	// Name is what the brokers' logs and quotas know this client by. Default
	// "belfry".
	Name string
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Name == "" {
		o.Name = "belfry"
	}
	return o
}

// Validate names the first option that cannot work. Its errors hold no password.
func (o Options) Validate() error {
	o = o.withDefaults()
	if o.URL == "" {
		return errors.New("kafkaconn: Options.URL is empty: give kafka://host:9092")
	}
	if o.Timeout < 100*time.Millisecond {
		return fmt.Errorf("kafkaconn: Options.Timeout is %v, must be at least 100ms", o.Timeout)
	}
	_, err := o.parse()
	return err
}

// Client returns what the driver needs to know of the cluster. logger gets what it
// warns of.
func (o Options) Client(logger *slog.Logger) ([]kgo.Opt, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c, err := o.parse()
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.brokers...),
		kgo.ClientID(o.Name),
		kgo.DialTimeout(o.Timeout),
		kgo.DisableClientMetrics(), // nobody has asked for what we do to be reported
		kgo.WithLogger(driverLog{logger}),
		kgo.RetryBackoffFn(retryAfter),
	}
	if c.secure {
		conf := &tls.Config{MinVersion: tls.VersionTLS12}
		if o.TLS != nil {
			conf = o.TLS.Clone()
		}
		opts = append(opts, kgo.DialTLSConfig(conf))
	}
	if c.sasl != nil {
		opts = append(opts, kgo.SASL(c.sasl))
	}
	return opts, nil
}

// parsed is what a URL says.
type parsed struct {
	brokers []string
	secure  bool
	sasl    sasl.Mechanism // nil: none
}

const form = "kafka://[user:password@]host:port[?addr=host:port][&sasl=scram-sha-512]"

func (o Options) parse() (parsed, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		// The parser's message may hold the URL, and that a password.
		return parsed{}, errors.New("kafkaconn: Options.URL is not " + form)
	}
	c := parsed{secure: u.Scheme == "kafkas"}
	if u.Scheme != "kafka" && u.Scheme != "kafkas" {
		return c, fmt.Errorf("kafkaconn: the scheme of Options.URL is %q, must be kafka or kafkas", u.Scheme)
	}
	if o.TLS != nil && !c.secure {
		return c, errors.New("kafkaconn: Options.TLS is set, but Options.URL is not kafkas://")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return c, errors.New("kafkaconn: Options.URL is not " + form)
	}
	for name := range query {
		if name != "addr" && name != "sasl" {
			return c, fmt.Errorf("kafkaconn: Options.URL has %q, must be addr or sasl", name)
		}
	}
	if c.brokers, err = brokers(append([]string{u.Host}, query["addr"]...)); err != nil {
		return c, err
	}
	c.sasl, err = c.mechanism(u.User, query)
	return c, err
}

// brokers gives those without a port the usual one.
func brokers(addrs []string) ([]string, error) {
	for i, addr := range addrs {
		if !strings.Contains(addr, ":") {
			addrs[i] = addr + ":9092"
		}
		host, port, err := net.SplitHostPort(addrs[i])
		if err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("kafkaconn: Options.URL has the broker %q, must be host:port", addr)
		}
	}
	return addrs, nil
}

// mechanism returns how to show the password, nil without a user.
func (c parsed) mechanism(user *url.Userinfo, query url.Values) (sasl.Mechanism, error) {
	name := query.Get("sasl")
	if user == nil {
		if name != "" {
			return nil, errors.New("kafkaconn: Options.URL has sasl, but no user")
		}
		return nil, nil
	}
	password, _ := user.Password()
	if user.Username() == "" || password == "" {
		return nil, errors.New("kafkaconn: Options.URL has a user or a password, but not both")
	}
	auth := scram.Auth{User: user.Username(), Pass: password}
	switch name {
	case "", "scram-sha-512":
		return auth.AsSha512Mechanism(), nil
	case "scram-sha-256":
		return auth.AsSha256Mechanism(), nil
	case "plain":
		if !c.secure && slices.ContainsFunc(c.brokers, remote) {
			return nil, errors.New("kafkaconn: Options.URL sends the password as it is to other machines: use kafkas:// or another sasl")
		}
		return plain.Auth{User: auth.User, Pass: auth.Pass}.AsMechanism(), nil
	}
	return nil, fmt.Errorf("kafkaconn: sasl in Options.URL is %q, must be scram-sha-512, scram-sha-256 or plain", name)
}

// remote reports whether a broker is on another machine, as far as one can see.
func remote(broker string) bool {
	host, _, _ := net.SplitHostPort(broker)
	ip := net.ParseIP(host)
	return host != "localhost" && (ip == nil || !ip.IsLoopback())
}

// retryAfter makes a broker that comes back be found within a second or two.
func retryAfter(tries int) time.Duration {
	return min(50*time.Millisecond<<min(tries, 10), 2*time.Second)
}

// TopicRule says what IsTopic wants.
const TopicRule = "1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', not \".\" or \"..\""

// IsTopic reports whether a topic can have that name.
func IsTopic(name string) bool {
	const set = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return name != "" && len(name) <= 249 && name != "." && name != ".." && strings.Trim(name, set) == ""
}
