package console

// Style is the meaning of a piece of text, which determines its color.
type Style string

// The styles, as the parameters of "select graphic rendition" (ECMA-48 §8.3.117).
const (
	Good      Style = "32" // green
	Attention Style = "33" // yellow
	Bad       Style = "31" // red
	Heading   Style = "1"  // bold
)

// SetColours says whether messages have colours.
func (c *Console) SetColours(on bool) { c.screen.colours.Store(on) }

// Coloured reports whether messages have colours.
func (c *Console) Coloured() bool { return c.screen.colours.Load() }

// Paint gives text the colour of a style, if messages have colours.
func (c *Console) Paint(s Style, text string) string {
	if !c.Coloured() || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Columns returns the width of the terminal that shows the messages, or 0 without a
// terminal.
func (c *Console) Columns() int {
	if !c.Watched() {
		return 0
	}
	return c.screen.columns()
}

// Width returns how many columns of a terminal a text occupies.
func Width(text string) int { return columnsOf(text) }
