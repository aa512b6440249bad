package console

import (
	"fmt"
	"strconv"
	"time"
)

// Size writes a number of bytes with a binary prefix (IEC 80000-13).
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

// Time writes a time in UTC; nil is "".
func Time(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// maxSpan is a century, in seconds. A Duration holds three.
const maxSpan = 100 * 365 * 24 * 60 * 60

// Seconds writes a number of seconds as a person reads it; nil is "".
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

// Percent writes a percentage; nil is "".
func Percent(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64) + " %"
}
