package redis

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Usage is what a Redis has used since it started.
type Usage struct {
	// CPU is its own processor time, without that of a child that saves.
	CPU time.Duration
	// Memory is what it has allocated, RSS what the system gave it; bytes.
	Memory, RSS int64
	// Commands counts the calls of each command, those from scripts too.
	Commands map[string]int64
}

// Usage asks for what the Redis has used.
func (c *Conn) Usage() (Usage, error) {
	var u Usage
	for _, section := range []string{"cpu", "memory", "commandstats"} {
		answer, err := c.Do("INFO", section)
		if err != nil {
			return Usage{}, err
		}
		if err := u.read(answer); err != nil {
			return Usage{}, err
		}
	}
	return u, nil
}

// read takes what it knows from an answer to INFO: lines of name:value.
func (u *Usage) read(info string) error {
	for line := range strings.Lines(info) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok {
			continue
		}
		if err := u.take(name, value); err != nil {
			return fmt.Errorf("INFO has %s:%q: %w", name, value, err)
		}
	}
	return nil
}

func (u *Usage) take(name, value string) (err error) {
	switch name {
	case "used_cpu_sys", "used_cpu_user":
		var s float64
		s, err = strconv.ParseFloat(value, 64)
		u.CPU += time.Duration(s * float64(time.Second))
	case "used_memory":
		u.Memory, err = strconv.ParseInt(value, 10, 64)
	case "used_memory_rss":
		u.RSS, err = strconv.ParseInt(value, 10, 64)
	default:
		if command, ok := strings.CutPrefix(name, "cmdstat_"); ok {
			err = u.count(command, value)
		}
	}
	return err
}

// count reads calls=N,usec=…
func (u *Usage) count(command, value string) error {
	first, _, _ := strings.Cut(value, ",")
	n, err := strconv.ParseInt(strings.TrimPrefix(first, "calls="), 10, 64)
	if err != nil {
		return err
	}
	if u.Commands == nil {
		u.Commands = map[string]int64{}
	}
	u.Commands[command] += n
	return nil
}

// Since returns what was used between the earlier usage and u. Memory and RSS
// are the growth. Commands that were not called are left out; so is INFO, which
// only those who measure call.
func (u Usage) Since(earlier Usage) Usage {
	d := Usage{
		CPU: u.CPU - earlier.CPU, Memory: u.Memory - earlier.Memory, RSS: u.RSS - earlier.RSS,
		Commands: maps.Clone(u.Commands),
	}
	for name := range d.Commands {
		d.Commands[name] -= earlier.Commands[name]
	}
	maps.DeleteFunc(d.Commands, func(name string, n int64) bool { return n == 0 || name == "info" })
	return d
}
