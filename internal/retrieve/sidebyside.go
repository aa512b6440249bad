package retrieve

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// maxSideBySide is how many archives are loaded at the same time: they share one
// archive's connections and memory.
const maxSideBySide = 3

// SideBySide loads n archives, several at the same time. It calls load with the number of
// each, and with how many of them share the connections and the memory. It stops at the
// first error.
func SideBySide(ctx context.Context, n int, load func(ctx context.Context, i, share int) error) error {
	share := max(min(maxSideBySide, n), 1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(share)
	for i := range n {
		group.Go(func() error { return load(ctx, i, share) })
	}
	return group.Wait()
}
