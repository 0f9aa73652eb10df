package proc

import "os"

// Self measures this process, without those that it started.
func Self() (Usage, error) { return usage(os.Getpid()) }
