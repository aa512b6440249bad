//go:build !unix

package main

func ignoreLimitSignals() {}
