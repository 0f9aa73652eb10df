package poll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of the hot path go to the kernel without telling Go's scheduler,
// which saves about 0.5 µs each. That is right only because none of them can
// block: the descriptors are non-blocking, the timeout is zero.

// quickBytes bounds what is copied in one such call: the garbage collector
// cannot stop the thread meanwhile.
const quickBytes = 128 << 10

// sysWrite returns 0 with every error.
func sysWrite(fd int, p []byte) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if len(p) <= quickBytes {
		n, _, errno = syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	} else {
		n, _, errno = syscall.Syscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	}
	return count(n, errno)
}

// sysWritev writes size bytes in all; it returns 0 with every error.
func sysWritev(fd int, v []syscall.Iovec, size int) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if size <= quickBytes {
		n, _, errno = syscall.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&v[0])), uintptr(len(v)))
	} else {
		n, _, errno = syscall.Syscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&v[0])), uintptr(len(v)))
	}
	return count(n, errno)
}

// sysRead returns 0 with every error.
func sysRead(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return count(n, errno)
}

// sysEpollNow asks for events without waiting.
func sysEpollNow(epfd int, events []unix.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
		uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	got, _ := count(n, errno)
	return got
}

func count(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
