package console

import (
	"fmt"
	"strconv"
	"time"
)

// Size formats a number of bytes with a binary prefix (IEC 80000-13).
func Size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1023.95 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

// Time formats a time in UTC; nil is "".
func Time(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Count formats a number with its noun: "1 file", "2 files". one is the singular of a
// noun whose plural ends in s.
func Count[N int | int64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Span formats a duration with as many digits as people need.
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Second-50*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute-500*time.Millisecond:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	d = d.Round(time.Second)
	if d < time.Hour {
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// Ago writes how long before now a time is, with the one unit that matters; long ago it
// is a date. nil is "".
func Ago(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	const day = 24 * time.Hour
	switch d := now.Sub(*t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	case d < 60*day:
		return fmt.Sprintf("%dd ago", d/day)
	}
	return t.UTC().Format(time.DateOnly)
}

// maxSpan is a century, in seconds. A Duration holds three.
const maxSpan = 100 * 365 * 24 * 60 * 60

// Seconds formats a number of seconds for people; nil is "".
func Seconds(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	d := time.Duration(min(max(*seconds, -maxSpan), maxSpan) * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// Percent formats a percentage; nil is "".
func Percent(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64) + " %"
}
