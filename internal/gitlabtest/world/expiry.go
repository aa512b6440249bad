package world

import (
	"strconv"
	"strings"
	"time"
)

// durations are ChronicDuration's units in the singular.
var durations = map[string]time.Duration{
	"": time.Second, "s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
	"mo": 30 * 24 * time.Hour, "month": 30 * 24 * time.Hour,
	"y": 8766 * time.Hour, "yr": 8766 * time.Hour, "year": 8766 * time.Hour,
}

// ExpiresAt parses expire_in as lib/gitlab/ci/build/duration_parser.rb does: numbers
// with units, a number of seconds, or never, for which it returns nil. If value is empty,
// it is the instance's default.
// https://docs.gitlab.com/ci/yaml/#artifactsexpire_in
func ExpiresAt(value string, now time.Time) (*time.Time, bool) {
	if value == "" {
		value = "30 days"
	}
	if strings.EqualFold(value, "never") {
		return nil, true
	}
	var total time.Duration
	rest := strings.ToLower(strings.ReplaceAll(value, " ", ""))
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		letters := rest[digits:]
		if end := strings.IndexAny(letters, "0123456789"); end >= 0 {
			letters = letters[:end]
		}
		unit, known := durations[letters]
		if !known {
			unit, known = durations[strings.TrimSuffix(letters, "s")]
		}
		if err != nil || !known {
			return nil, false
		}
		total += time.Duration(n) * unit
		rest = rest[digits+len(letters):]
	}
	at := now.Add(total)
	return &at, true
}
