package bench

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// progress shows on a terminal what a run is doing: one line that changes. On
// anything else it writes one line for each phase. Not safe for concurrent use.
type progress struct {
	out      io.Writer // nil: nowhere
	terminal bool
	clients  int
	name     string
	length   time.Duration // of the phase; 0 if not known
	begun    time.Time
	before   uint64 // arrivals when the last line was written
	at       time.Time
	written  bool // the line is not ended
}

// newProgress shows the progress of runs with that many clients.
func newProgress(out io.Writer, clients int) *progress {
	p := &progress{out: out, clients: clients}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// phase begins a phase.
func (p *progress) phase(name string, length time.Duration) {
	p.name, p.length, p.begun = name, length, time.Now()
	if p.out == nil {
		return
	}
	if p.terminal {
		p.line("")
		return
	}
	fmt.Fprintln(p.out, strings.TrimSpace(name+" "+p.span()))
}

func (p *progress) span() string {
	if p.length == 0 {
		return ""
	}
	return p.length.String()
}

// watch shows how far the workers are.
func (p *progress) watch(seen []worker.Progress) {
	if p.out == nil || !p.terminal || time.Since(p.at) < 200*time.Millisecond {
		return
	}
	var sum worker.Progress
	for _, s := range seen {
		sum.Connected += s.Connected
		sum.Joined += s.Joined
		sum.Arrived += s.Arrived
		sum.Lost += s.Lost
	}
	p.line(p.detail(sum))
}

func (p *progress) detail(sum worker.Progress) string {
	now := time.Now()
	rate := float64(sum.Arrived-p.before) / now.Sub(p.at).Seconds()
	p.before, p.at = sum.Arrived, now
	switch p.name {
	case "connecting":
		return fmt.Sprintf("%d of %d", sum.Connected, p.clients)
	case "joining":
		return fmt.Sprintf("%d of %d", sum.Joined, p.clients)
	}
	s := fmt.Sprintf("%d clients, %s deliveries/s", sum.Connected-sum.Lost, thousands(rate))
	if sum.Lost > 0 {
		s += fmt.Sprintf(", %d connections lost", sum.Lost)
	}
	return s
}

func (p *progress) line(detail string) {
	left := ""
	if p.length > 0 {
		left = fmt.Sprintf(" %.0f of %.0f s", time.Since(p.begun).Seconds(), p.length.Seconds())
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s%s  %s", p.name, left, detail)
	p.written = true
}

// end leaves the line.
func (p *progress) end() {
	if p.written {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.written = false
	}
}

// thousands writes a number with separators and no decimals.
func thousands(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
