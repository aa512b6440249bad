package extract

import (
	"cmp"
	"slices"
)

const (
	maxRegion = 16 << 20  // bytes of a region, unless one entry has more
	maxCostly = 64 << 20  // where requests are dear
	minRegion = 1 << 20   // below this, another request is not worth it
	maxGap    = 128 << 10 // bytes between two wanted entries that are read over
)

// region is a run of the archive that one worker reads in one go.
type region struct {
	off, end int64
	entries  []*entry // in the order of their offsets
}

// plan groups the entries whose bytes are needed into regions, in the order of
// their offsets. Small archives are cut small enough to keep all connections
// busy, and the last quarter of each is cut smaller, so that no worker has much
// to do when the others have ended.
func plan(entries []*entry, o Options) []region {
	wanted := slices.DeleteFunc(slices.Clone(entries), (*entry).isDir)
	slices.SortFunc(wanted, func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
	var total, planned int64
	for _, e := range wanted {
		total += e.end - e.offset
	}
	most := int64(maxRegion)
	if o.Costly {
		most = maxCostly
	}
	share := min(max(total/int64(o.Connections)*4/3, minRegion), most)
	var regions []region
	for _, e := range wanted {
		limit := share
		if planned > total/4*3 {
			limit = max(share/2, minRegion)
		}
		planned += e.end - e.offset
		if n := len(regions); n > 0 {
			last := &regions[n-1]
			if e.offset-last.end <= maxGap && e.end-last.off <= limit {
				last.end = e.end
				last.entries = append(last.entries, e)
				continue
			}
		}
		regions = append(regions, region{e.offset, e.end, []*entry{e}})
	}
	return regions
}
