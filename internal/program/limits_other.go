//go:build !unix

package program

func ignoreLimitSignals() {}
