package transport

import "golang.org/x/sys/windows"

// Windows reports sockets by numbers of its own, which package syscall does not
// match with ECONNRESET and its like.
const (
	errReset       = windows.WSAECONNRESET
	errAborted     = windows.WSAECONNABORTED
	errRefused     = windows.WSAECONNREFUSED
	errNetUnreach  = windows.WSAENETUNREACH
	errHostUnreach = windows.WSAEHOSTUNREACH
)
