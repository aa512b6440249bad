// Package similar finds what a person may have meant by a name that doesn't exist.
package similar

import (
	"slices"
	"sort"
	"strings"

	"github.com/xrash/smetrics"
)

// Names returns the names that are most like name, at most so many, the most similar
// first. A name is similar if few letters differ (two, or a third of name, but not all;
// one of a name of three letters, unless both have the same letters), or if it continues
// name, as "test 1/3" continues "test". Case makes no difference.
func Names(name string, names []string, most int) []string {
	type candidate struct {
		name     string
		distance int // changes of one letter
	}
	wanted := strings.ToLower(name)
	var found []candidate
	for _, other := range slices.Compact(slices.Sorted(slices.Values(names))) {
		lower := strings.ToLower(other)
		distance := smetrics.WagnerFischer(wanted, lower, 1, 1, 1)
		few := distance <= max(2, len(wanted)/3) && distance < len(wanted) && (distance < 2 || len(wanted) > 3 || sameLetters(wanted, lower))
		if few || len(wanted) > 1 && strings.HasPrefix(lower, wanted) {
			found = append(found, candidate{other, distance})
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].distance < found[j].distance })
	var similar []string
	for _, c := range found[:min(len(found), most)] {
		similar = append(similar, c.name)
	}
	return similar
}

// sameLetters reports whether two words differ in the order of their letters alone.
func sameLetters(a, b string) bool {
	return slices.Equal(slices.Sorted(slices.Values([]rune(a))), slices.Sorted(slices.Values([]rune(b))))
}
