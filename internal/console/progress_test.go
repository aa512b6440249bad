package console

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// A log gets a message after three seconds, and then when ten per cent more are done and
// fifteen seconds have gone by, whichever is later.
func TestProgressMessages(t *testing.T) {
	t.Parallel()
	const total = 1000 << 20
	tests := []struct {
		name string
		took time.Duration // of the whole
		want string
	}{
		{"at once", 2 * time.Second, ""},
		{"fast", 10 * time.Second, "30"},
		{"by time", 60 * time.Second, "5 30 55 80"},
		{"by share", time.Hour, "1 11 21 31 41 51 61 71 81 91"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log said
				p := &Progress{view: &messages{say: log.say}}
				time.Sleep(time.Hour) // until the job has finished
				part := p.Part("build")
				part.Plan(total)
				for range 1000 {
					time.Sleep(tt.took / 1000)
					part.Read(total / 1000)
				}
				p.End()
				for _, p := range log {
					left := tt.took * time.Duration(100-p.Percent) / 100
					if p.Total != total || p.PerSecond != int64(total/tt.took.Seconds()) || (p.Left-left).Abs() > tt.took/100 {
						t.Errorf("message = %+v, want %v left", p, left)
					}
				}
				if got := log.percents(); got != tt.want {
					t.Errorf("messages at %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// Not all of several archives are known from the beginning: the percentage drops when
// another one starts, and grows from there.
func TestProgressMessagesOfSeveral(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log said
		p := &Progress{view: &messages{say: log.say}}
		for range 4 {
			part := p.Part("build")
			part.Plan(1000)
			for range 10 {
				time.Sleep(10 * time.Second)
				part.Read(100)
			}
		}
		if got, want := log.percents(), "10 30 50 70 90 60 70 80 90 76 86 96 85 95"; got != want {
			t.Errorf("messages at %s, want %s", got, want)
		}
	})
}

// said collects messages.
type said []Pace

func (s *said) say(p Pace) { *s = append(*s, p) }

func (s *said) percents() string {
	var list []string
	for _, p := range *s {
		list = append(list, strconv.FormatInt(p.Percent, 10))
	}
	return strings.Join(list, " ")
}

// What is put on disk first counts while it comes, and not again when it is read.
func TestProgressOfSpools(t *testing.T) {
	t.Parallel()
	var seen recording
	p := &Progress{view: &seen}
	spooled, ranged := p.Part("build"), p.Part("build")
	ranged.Plan(50)
	spooled.Spool(30, 100)
	spooled.Spool(10, 100) // begun again
	spooled.Spool(100, 100)
	spooled.Plan(90)
	spooled.Read(90)
	ranged.Read(50)
	p.End()
	p.Restart() // the archive has changed
	p.Part("build").Plan(70)
	want := "0/50 30/150 10/150 100/150 100/150 100/150 150/150 end end 0/70"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("shown: %s\nwant:  %s", got, want)
	}
	// A nil Progress ignores all calls.
	var none *Progress
	none.Part("build").Spool(1, 2)
	none.Part("build").Plan(1)
	none.Part("build").Read(1)
	none.Doing("nothing")
	none.Restart()
	none.End()
}

type recording []string

func (r *recording) show(p *Progress) {
	done, total := p.sum()
	*r = append(*r, fmt.Sprintf("%d/%d", done, total))
}

func (r *recording) end() { *r = append(*r, "end") }

// What is drawn is below the messages of a terminal, and nothing of it is left.
func TestLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var terminal bytes.Buffer
		s := &screen{to: &terminal}
		p := &Progress{view: &live{lines: bottom{s}}}
		shown := func() string {
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			return strings.Join(play(terminal.String()), "|")
		}
		screens := []struct {
			do   func()
			want string
		}{
			{func() { p.Doing("looking for the job") }, ""},
			{func() { time.Sleep(time.Second) }, "- looking for the job"},
			{func() { _, _ = s.Write([]byte("message\n")); time.Sleep(4 * time.Second) }, "message|- looking for the job, 5s"},
		}
		for i, now := range screens {
			now.do()
			if got := shown(); got != now.want {
				t.Errorf("%d: the terminal shows\n%s, not\n%s", i, got, now.want)
			}
		}
		time.Sleep(livePause / 2) // between two clock ticks
		build, test := p.Part("build"), p.Part("test, long")
		build.Plan(100 << 20)
		test.Plan(10 << 20)
		for range 10 {
			build.Read(5 << 20)
			test.Read(1 << 19)
			time.Sleep(time.Second)
		}
		want := "message|" +
			"build       [======>     ]   50 %   50.0/100.0 MiB     4.4 MiB/s  11s left|" +
			"test, long  [======>     ]   50 %     5.0/10.0 MiB   450.8 KiB/s  11s left"
		if got := shown(); got != want {
			t.Errorf("the terminal shows\n%s, not\n%s", got, want)
		}
		p.End()
		_, _ = s.Write([]byte("fetched\n"))
		time.Sleep(time.Minute)
		if got := shown(); got != "message|fetched|" {
			t.Errorf("the terminal shows %q in the end", got)
		}
	})
}

// What is over at once is not drawn.
func TestLiveIsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var terminal bytes.Buffer
		p := &Progress{view: &live{lines: bottom{&screen{to: &terminal}}}}
		p.Doing("looking for the job")
		part := p.Part("build")
		part.Plan(100)
		part.Read(50)
		time.Sleep(liveDelay - 1)
		p.End()
		time.Sleep(time.Minute)
		if terminal.Len() > 0 {
			t.Errorf("drawn: %q", terminal.String())
		}
	})
}

// play shows what a terminal has in the end that knows carriage returns, how to go up, and
// how to erase everything behind the cursor.
func play(out string) []string {
	lines, row, column := [][]rune{nil}, 0, 0
	for out != "" {
		var up int
		switch n, _ := fmt.Sscanf(out, "\x1b[%dA", &up); {
		case n == 1:
			row, out = row-up, out[strings.Index(out, "A")+1:]
			continue
		case strings.HasPrefix(out, "\x1b[J"):
			lines, out = lines[:row+1], out[len("\x1b[J"):]
			lines[row] = lines[row][:column]
			continue
		}
		r, size := utf8.DecodeRuneInString(out)
		out = out[size:]
		switch r {
		case '\n':
			if row, column = row+1, 0; row == len(lines) {
				lines = append(lines, nil)
			}
		case '\r':
			column = 0
		default:
			lines[row] = append(lines[row][:column], append([]rune{r}, lines[row][min(column+1, len(lines[row])):]...)...)
			column++
		}
	}
	shown := make([]string, len(lines))
	for i, line := range lines {
		shown[i] = string(line)
	}
	return shown
}
