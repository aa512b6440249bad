package console

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 1 << 30: "1.0 GiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{0: "0s", 1.2345: "1.23s", 59.6: "1m0s", 3723.4: "1h2m3s", 1e300: "876000h0m0s", -1e300: "-876000h0m0s"} {
		if got := Seconds(&seconds); got != want {
			t.Errorf("Seconds(%v) = %q, want %q", seconds, got, want)
		}
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	share := 87.5
	for got, want := range map[string]string{Seconds(nil): "", Time(nil): "", Percent(nil): "", Time(&at): "2026-01-02T02:04:05Z", Percent(&share): "87.5 %"} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	if got := Count(0, "file") + Count(1, "file") + Count(int64(2), "file"); got != "0 files1 file2 files" {
		t.Error(got)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 1234 * time.Millisecond: "1.2 s", 9970 * time.Millisecond: "10 s", 59400 * time.Millisecond: "59 s", 59600 * time.Millisecond: "1 min 0 s",
		61 * time.Second: "1 min 1 s", 59*time.Minute + 59600*time.Millisecond: "1 h 0 min", 25*time.Hour + 29*time.Second: "25 h 0 min",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", 59 * time.Second: "just now", 119 * time.Second: "1m ago", 47 * time.Hour: "47h ago", 48 * time.Hour: "2d ago", 60 * 24 * time.Hour: "2025-12-31",
	} {
		at := now.Add(-d)
		if got := Ago(&at, now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := Ago(nil, now); got != "" {
		t.Errorf("%q", got)
	}
}
