package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"gitlab.com/artifetch/artifetch/internal/transport"
)

// The log contains a response's status, and none if there was no response.
func TestObserve(t *testing.T) {
	t.Parallel()
	for _, x := range []transport.Exchange{
		{Method: "GET", Status: 200, Duration: time.Second},
		{Method: "GET", Status: 503, Duration: time.Second, Wait: time.Second, Attempt: 1},
		{Method: "GET", Err: errors.New("silent"), Duration: time.Minute},
		{Method: "GET", Err: errors.New("silent"), Duration: time.Minute, Wait: time.Second, Attempt: 1},
	} {
		var out bytes.Buffer
		(&session{log: zerolog.New(&out)}).observe(x)
		var got struct {
			Status  *int
			Seconds float64
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Seconds != x.Duration.Seconds() {
			t.Errorf("%v: %s", err, &out)
		}
		if (got.Status != nil) != (x.Status != 0) || got.Status != nil && *got.Status != x.Status {
			t.Errorf("status: %s", &out)
		}
	}
}
