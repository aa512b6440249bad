//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gitlab.com/artifetch/artifetch/internal/bench/slownet"
)

// wholePaths are the networks for fetching the archive itself.
var wholePaths = []struct {
	name string
	path func() *slownet.Path
}{
	{"loopback", func() *slownet.Path { return nil }},
	{"20 ms round trip", func() *slownet.Path { return &slownet.Path{RTT: farRTTs[0], Link: farLink} }},
	{"100 ms round trip", func() *slownet.Path { return &slownet.Path{RTT: farRTTs[1], Link: farLink} }},
	{"20 ms, 10 MB/s for each connection", func() *slownet.Path {
		return &slownet.Path{RTT: farRTTs[0], Link: farLink, PerConnection: 10e6}
	}},
}

// wholePeers fetch the archive itself.
var wholePeers = []farPeer{
	{"artifetch --archive", `mkdir x && artifetch fetch --ref main --job build --archive x/a.zip`, `mkdir x && artifetch fetch --job-id $JOB --archive x/a.zip`},
	{"curl -o", `mkdir x && ` + curlByRef + ` -o x/a.zip`, `mkdir x && ` + curlByID + ` -o x/a.zip`},
}

// wholeRow is the measurements of both commands, on one network.
type wholeRow struct {
	network, size string
	byRef         bool
	visits        [2][]visit // of wholePeers
}

// whole times the fetch of archives that aren't extracted, from object storage.
func (b *bench) whole(ctx context.Context) error {
	if b.wholeRuns == 0 {
		return nil
	}
	dir := filepath.Join(b.dir, "whole")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := writeRunnerZips(dir, smallSizes); err != nil {
		return err
	}
	var rows []wholeRow
	for _, network := range wholePaths {
		for _, size := range smallSizes {
			for _, byRef := range []bool{true, false} {
				row := wholeRow{network: network.name, size: size.name, byRef: byRef}
				s := site{archive: filepath.Join(dir, size.name), redirect: true, path: network.path()}
				if s.path != nil {
					s.serverTime = b.serverTime
				}
				if err := b.timeWhole(ctx, s, &row); err != nil {
					return fmt.Errorf("%s, %s: %w", size.name, network.name, err)
				}
				rows = append(rows, row)
			}
		}
	}
	b.report.whole(rows)
	return os.RemoveAll(dir)
}

func (b *bench) timeWhole(ctx context.Context, s site, row *wholeRow) error {
	all := trees{}
	return b.at(ctx, s, func(i *instance) error {
		for range b.wholeRuns {
			for n, peer := range wholePeers {
				v, tree, err := b.visit(ctx, i, peer.command(row.byRef))
				if err != nil {
					return fmt.Errorf("%s: %w", peer.name, err)
				}
				row.visits[n] = append(row.visits[n], v)
				all.add(tree, peer.name)
			}
		}
		return all.same()
	})
}

// whole writes the table of archives that aren't extracted.
func (r *report) whole(rows []wholeRow) {
	_, _ = fmt.Fprintf(r, "\n### The archive itself, behind a redirect to object storage, TLS\n\n%d runs of each.\n\n", len(rows[0].visits[0]))
	_, _ = fmt.Fprintln(r, "| network | archive | by | artifetch --archive, ms (min–max) | curl -o, ms (min–max) | ours / curl |\n|---|---|---|---|---|---|")
	for _, row := range rows {
		ours, curls := row.visits[0], row.visits[1]
		_, _ = fmt.Fprintf(r, "| %s | %s | %s | %s | %s | %.2f |\n", row.network, row.size, by(row.byRef), spread(ours, "%.0f"), spread(curls, "%.0f"),
			median(ours, wallOf).Seconds()/median(curls, wallOf).Seconds())
	}
}
