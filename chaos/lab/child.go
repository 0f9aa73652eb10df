package lab

import "time"

// Child is a program of the experiment that is killed and started again.
type Child struct {
	*Process
}

// NewChild describes a program whose output goes to <dir>/<name>.log.
func NewChild(dir, name string, argv ...string) *Child {
	return &Child{newProcess(dir, name, argv...)}
}

// Restart ends the program in an orderly way, and starts it again.
func (c *Child) Restart(patience time.Duration) error {
	if err := c.Stop(patience); err != nil {
		return err
	}
	return c.Start()
}
