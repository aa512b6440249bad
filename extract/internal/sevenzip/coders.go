package sevenzip

import "encoding/hex"

// coders are the methods of a folder.
type coders struct {
	list []coder
	main int // the one whose output is the content
}

// coder is one method.
type coder struct {
	method string // its id in hexadecimal
	props  []byte
	at     int // offset of props in the folder
	inputs int // of this method and those before it
}

// coders reads the methods of a folder, and how many packed streams go into them.
// Each has one output, which may go only into a later method.
func (h *parser) coders() (coders coders, packed int) {
	inputs, begin := 0, len(h.b)
	n := h.count(2)
	if n == 0 || n > maxInputs {
		h.fail()
		return
	}
	for range n {
		flags := h.byte()
		c := coder{method: hex.EncodeToString(h.take(uint64(flags & 0x0f)))}
		ins, outs := 1, 1
		if flags&0x10 != 0 {
			ins, outs = h.count(1), h.count(1)
		}
		if flags&0x20 != 0 {
			n := h.number()
			c.at = begin - len(h.b)
			c.props = h.take(n)
		}
		if inputs += ins; flags&0xc0 != 0 || outs != 1 || ins == 0 || inputs > maxInputs {
			h.fail()
		}
		c.inputs = inputs
		coders.list = append(coders.list, c)
	}
	if !h.bad {
		coders.main, packed = h.bind(coders.list, inputs)
	}
	return coders, packed
}

// bind reads which output goes into which input, and which inputs are packed streams. It
// returns the method whose output is left over, and the number of packed streams.
func (h *parser) bind(coders []coder, inputs int) (main, packed int) {
	var in, out [maxInputs]bool
	use := func(used *[maxInputs]bool, most int) int {
		i := h.number()
		if h.bad || i >= uint64(most) || used[i] {
			h.fail()
			return 0
		}
		used[i] = true
		return int(i)
	}
	for range len(coders) - 1 {
		to, from := use(&in, inputs), use(&out, len(coders))
		if to < coders[from].inputs {
			h.fail() // it goes into itself, or into an earlier method
		}
	}
	if packed = inputs - (len(coders) - 1); packed < 1 {
		h.fail()
	}
	if packed > 1 {
		for range packed {
			use(&in, inputs)
		}
	}
	for out[main] && main < len(coders)-1 {
		main++
	}
	return main, packed
}
