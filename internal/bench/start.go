//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gitlab.com/artifetch/artifetch/internal/gitlabtest"
)

// starts are commands whose time is mostly that of starting a process.
var starts = []struct {
	name, command string
	fetches       bool
}{
	{"sh", `:`, false},
	{"artifetch --version", `artifetch --version`, false},
	{"artifetch, by id", farPeers[0].byID, true},
	{"curl + unzip, by id", farPeers[1].byID, true},
	{"artifetch, by ref", farPeers[0].byRef, true},
	{"curl + unzip, by ref", farPeers[1].byRef, true},
}

// start times programs that have almost nothing to do: one file of 1 kB, over TLS, on
// loopback, from a GitLab that answers immediately.
func (b *bench) start(ctx context.Context) error {
	if b.startRuns == 0 {
		return nil
	}
	archive := filepath.Join(b.dir, "one.zip")
	one := gitlabtest.Zip(gitlabtest.File{Name: "dist/one.txt", Content: fmt.Sprintf("%01000d\n", 1)})
	if err := os.WriteFile(archive, one, 0o644); err != nil {
		return err
	}
	rows, all := make([][]visit, len(starts)), trees{}
	err := b.at(ctx, site{archive: archive}, func(i *instance) error {
		for range b.startRuns {
			for n, s := range starts {
				v, tree, err := b.visit(ctx, i, s.command)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				rows[n] = append(rows[n], v)
				if s.fetches {
					all.add(tree, s.name)
				}
			}
		}
		return all.same()
	})
	if err != nil {
		return err
	}
	b.report.start(rows)
	return os.Remove(archive)
}
