//go:build !unix

package openfiles

import "math"

// Limit returns how many files the process may have open.
func Limit() int { return math.MaxInt }
