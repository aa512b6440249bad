package transport

import "golang.org/x/sys/windows"

// Windows reports sockets with its own error numbers, which package syscall doesn't match
// with ECONNRESET and similar ones.
const (
	errReset       = windows.WSAECONNRESET
	errAborted     = windows.WSAECONNABORTED
	errRefused     = windows.WSAECONNREFUSED
	errNetUnreach  = windows.WSAENETUNREACH
	errHostUnreach = windows.WSAEHOSTUNREACH
)
