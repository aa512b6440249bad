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
