package proc

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// burn keeps a processor busy until the process has used that much more CPU.
func burn(t *testing.T, ns int64) {
	t.Helper()
	from, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		for n := 0; n < 1e5; n++ {
			_ = n * n
		}
		if u, err := Self(); err != nil || u.CPU-from.CPU > ns {
			return
		}
	}
	t.Fatal("used no CPU in a minute")
}

func TestTakeCountsCPUAndMemory(t *testing.T) {
	pids := []int{os.Getpid()}
	before, err := Take(pids)
	if err != nil {
		t.Fatal(err)
	}
	burn(t, int64(20*time.Millisecond))
	after, err := Take(pids)
	if err != nil {
		t.Fatal(err)
	}
	if got := after.CPUSince(before); got < int64(20*time.Millisecond) {
		t.Errorf("CPU %v, want at least the 20ms burnt", time.Duration(got))
	}
	if rss := after.RSS(); rss < 1<<20 || rss > 1<<33 {
		t.Errorf("RSS %d is not that of a Go program", rss)
	}
}

func TestTakeSeesDescendants(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 60 & read line; kill $!")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		s, err := Take([]int{cmd.Process.Pid})
		if err != nil {
			t.Fatal(err)
		}
		if len(s) == 2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("saw %d processes, want the shell and its child", len(s))
		}
	}
}

func TestTakeNamesTheProcessThatIsGone(t *testing.T) {
	const nobody = 1<<22 + 1 // above the highest id that Linux gives
	if _, err := Take([]int{nobody}); !errors.Is(err, ErrGone) {
		t.Fatalf("got %v, want ErrGone", err)
	}
}

func TestCPUSinceCountsNewcomersWhole(t *testing.T) {
	before := Snapshot{1: {CPU: 100}, 2: {CPU: 50}}
	after := Snapshot{1: {CPU: 130}, 3: {CPU: 7}} // 2 ended
	if got := after.CPUSince(before); got != 37 {
		t.Errorf("got %d, want 37", got)
	}
}

func TestBusyCountsEverybody(t *testing.T) {
	before, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	burn(t, int64(100*time.Millisecond))
	after, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	// Some ticks may have gone to the books of the next read.
	if got := after - before; got < int64(50*time.Millisecond) {
		t.Errorf("the machine worked %v, want at least most of the 100ms burnt", time.Duration(got))
	}
}

func TestThisMachine(t *testing.T) {
	if m := ThisMachine(); m.Cores < 1 || m.Memory < 1<<20 || m.Kernel == "" || m.Go == "" {
		t.Errorf("incomplete: %+v", m)
	}
}
