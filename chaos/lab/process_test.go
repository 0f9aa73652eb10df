package lab

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	dir := t.TempDir()
	p := newProcess(dir, "shell", "sh", "-c", "echo started; exec sleep 600")
	for range 2 { // it can be started again
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(30 * time.Second); err != nil {
			t.Error(err)
		}
	}
	stubborn := newProcess(dir, "stubborn", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done")
	if err := stubborn.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := until(ctx, "shell", func() error {
		text, err := os.ReadFile(stubborn.log)
		if err == nil && !strings.Contains(string(text), "up") {
			err = os.ErrNotExist
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := stubborn.Stop(50 * time.Millisecond); err == nil {
		t.Error("nobody says that the process had to be killed")
	}
	if err := stubborn.Wait(ctx); err != nil {
		t.Error(err)
	}
}
