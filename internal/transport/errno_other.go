//go:build !windows

package transport

import "syscall"

const (
	errReset       = syscall.ECONNRESET
	errAborted     = syscall.ECONNABORTED
	errRefused     = syscall.ECONNREFUSED
	errNetUnreach  = syscall.ENETUNREACH
	errHostUnreach = syscall.EHOSTUNREACH
)
