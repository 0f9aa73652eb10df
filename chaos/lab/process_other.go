//go:build unix && !linux

package lab

import "syscall"

func withParent() *syscall.SysProcAttr { return nil }
