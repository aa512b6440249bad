package console

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A log gets a message when ten per cent more are done and fifteen seconds have
// gone by, whichever is later.
func TestProgressMessages(t *testing.T) {
	t.Parallel()
	const total = 1000 << 20
	tests := []struct {
		name string
		took time.Duration // of the whole
		want string
	}{
		{"fast", 10 * time.Second, ""},
		{"by time", 60 * time.Second, "25 50 75"},
		{"by share", time.Hour, "10 20 30 40 50 60 70 80 90"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log said
				p := &Progress{view: &messages{say: log.say}}
				time.Sleep(time.Hour) // until the job has finished
				part := p.Part()
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

// Of several archives not all are known from the beginning: the share of what is done
// becomes less, and goes on from there.
func TestProgressMessagesOfSeveral(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log said
		p := &Progress{view: &messages{say: log.say}}
		for range 4 {
			part := p.Part()
			part.Plan(1000)
			for range 10 {
				time.Sleep(10 * time.Second)
				part.Read(100)
			}
		}
		if got, want := log.percents(), "20 40 60 80 60 70 80 90 76 86 96 85 95"; got != want {
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
	spooled, ranged := p.Part(), p.Part()
	ranged.Plan(50)
	spooled.Spool(30, 100)
	spooled.Spool(10, 100) // begun again
	spooled.Spool(100, 100)
	spooled.Plan(90)
	spooled.Read(90)
	ranged.Read(50)
	p.End()
	p.Restart() // the archive has changed
	p.Part().Plan(70)
	want := "0/50 0/150 30/150 10/150 100/150 150/150 end end 0/70"
	if got := strings.Join(seen, " "); got != want {
		t.Errorf("shown: %s\nwant:  %s", got, want)
	}
	// Nobody has to know.
	var none *Progress
	none.Part().Spool(1, 2)
	none.Part().Plan(1)
	none.Part().Read(1)
	none.Restart()
	none.End()
}

type recording []string

func (r *recording) show(done, total int64) { *r = append(*r, fmt.Sprintf("%d/%d", done, total)) }

func (r *recording) end() { *r = append(*r, "end") }

// The bar is the last line of a terminal: messages appear above it, and nothing of
// it is left.
func TestBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var terminal bytes.Buffer
		s := &screen{to: &terminal}
		p := &Progress{view: &bar{line: bottom{s}}}
		time.Sleep(time.Hour) // until the job has finished
		part := p.Part()
		part.Plan(100 << 20)
		part.Read(1 << 20)
		if terminal.Len() > 0 {
			t.Errorf("a bar for what is over at once: %q", terminal.String())
		}
		time.Sleep(time.Second)
		part.Read(49 << 20)
		_, _ = s.Write([]byte("message\n"))
		time.Sleep(time.Second)
		part.Read(24 << 20)
		time.Sleep(time.Second)
		part.Read(1 << 20)
		if lines := play(terminal.String()); len(lines) != 2 || !strings.HasPrefix(lines[1], "75.00 MiB / 100.00 MiB [=") || !strings.HasSuffix(lines[1], "left") {
			t.Errorf("one bar does not take the place of the other: %q", lines)
		}
		p.End()
		_, _ = s.Write([]byte("fetched\n"))
		lines := play(terminal.String())
		if strings.Join(lines, "|") != "message|fetched|" {
			t.Errorf("the terminal shows %q", lines)
		}
		for _, want := range []string{"50.00 MiB / 100.00 MiB", "50.00%", "75.00%", "MiB/s", "left"} {
			if !strings.Contains(terminal.String(), want) {
				t.Errorf("the bar never shows %q: %q", want, terminal.String())
			}
		}
	})
}

// play shows what a terminal has in the end, which knows carriage returns and how to
// erase the rest of a line.
func play(out string) []string {
	lines, line, column := []string{}, []rune{}, 0
	out = strings.ReplaceAll(out, "\x1b[K", "\x00")
	for _, r := range out {
		switch r {
		case '\n':
			lines, line, column = append(lines, strings.TrimRight(string(line), " ")), nil, 0
		case '\r':
			column = 0
		case 0:
			line = line[:column]
		default:
			line = append(line[:column], append([]rune{r}, line[min(column+1, len(line)):]...)...)
			column++
		}
	}
	return append(lines, strings.TrimRight(string(line), " "))
}
