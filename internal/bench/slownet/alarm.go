//go:build linux

package slownet

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm sleeps. time.Sleep wakes up to a millisecond late, which is a large part of a short
// round trip; the kernel's timers wake within a tenth of that.
type alarm struct {
	timer *os.File // nil means time.Sleep
	fd    int
}

// alarms makes n alarms.
func (p *Path) alarms(n int) ([]alarm, error) {
	all := make([]alarm, n)
	if p.fake {
		return all, nil
	}
	for i := range all {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil {
			for _, a := range all[:i] {
				a.close()
			}
			return nil, os.NewSyscallError("timerfd_create", err)
		}
		all[i] = alarm{os.NewFile(uintptr(fd), "timer"), fd}
	}
	return all, nil
}

func (a alarm) until(t time.Time) {
	d := time.Until(t)
	if d <= 0 {
		return
	}
	if a.timer != nil {
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		if unix.TimerfdSettime(a.fd, 0, &spec, nil) == nil {
			var expirations [8]byte
			_, _ = a.timer.Read(expirations[:]) // their number doesn't matter
			return
		}
	}
	time.Sleep(d)
}

func (a alarm) close() {
	if a.timer != nil {
		_ = a.timer.Close() // a timer
	}
}
