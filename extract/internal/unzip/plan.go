package unzip

import (
	"cmp"
	"slices"

	"gitlab.com/artifetch/artifetch/extract/internal/zipfile"
)

const (
	maxRegion = 16 << 20 // bytes of a region, unless one entry has more
	minRegion = 1 << 20  // fewer bytes aren't worth another request
	maxCostly = 64 << 20 // the same, where requests are costly
	minCostly = 4 << 20
	maxGap    = 128 << 10 // bytes between two wanted entries that are read, too
)

// region is a part of the archive that one worker reads in one go.
type region struct {
	off, end int64
	entries  []*selected // in the order of their offsets
}

// selected is an entry to decode, and its index in the caller's list.
type selected struct {
	*zipfile.Entry
	index int
}

// plan groups the entries into regions, in the order of their offsets. It cuts small
// archives into enough regions to keep all connections busy, and the first quarter of
// each archive into smaller ones. Workers reach it last, when the one that started at
// the front meets the others (see queue): none has much left to do then. A region ends
// where the response on the first connection does, which that worker continues to read;
// if requests are costly, it continues.
func plan(entries []*zipfile.Entry, p Pace, onward int64) []region {
	wanted, total := byOffset(entries)
	least, most := int64(minRegion), int64(maxRegion)
	if p.Costly {
		least, most = minCostly, maxCostly
	}
	share := min(max(total/int64(p.Connections)*4/3, least), most)
	limit := max(share/2, least)
	var regions []region
	var planned int64 // bytes in regions
	for _, e := range wanted {
		if n := len(regions); n > 0 {
			last := &regions[n-1]
			crosses := !p.Costly && last.off < onward && e.End > onward
			if e.Offset-last.end <= maxGap && e.End-last.off <= limit && !crosses {
				last.end = e.End
				last.entries = append(last.entries, e)
				planned += e.End - e.Offset
				continue
			}
		}
		if planned >= total/4 {
			limit = share
		}
		planned += e.End - e.Offset
		regions = append(regions, region{e.Offset, e.End, []*selected{e}})
	}
	return regions
}

// byOffset returns the entries that have content, sorted, and how many bytes they
// take in the archive.
func byOffset(entries []*zipfile.Entry) (wanted []*selected, bytes int64) {
	all := make([]selected, len(entries))
	wanted = make([]*selected, 0, len(entries))
	for i, e := range entries {
		if !e.IsDir() {
			all[i] = selected{e, i}
			wanted = append(wanted, &all[i])
			bytes += e.End - e.Offset
		}
	}
	slices.SortFunc(wanted, func(a, b *selected) int { return cmp.Compare(a.Offset, b.Offset) })
	return wanted, bytes
}
