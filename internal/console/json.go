package console

import (
	"bytes"
	"encoding/json"
	"io"

	"gitlab.com/artifetch/artifetch/internal/printable"
	"gitlab.com/artifetch/artifetch/internal/redact"
)

// Encode prints a result as JSON, indented, with the token masked.
func (c *Console) Encode(v any) error { return encode(c.Out, c.screen.token.Load(), v, "  ") }

// EncodeLine prints a result as one line of JSON, with the token masked.
func (c *Console) EncodeLine(v any) error { return encode(c.Out, c.screen.token.Load(), v, "") }

// EncodeTold prints messages about a run as JSON, indented, and masked as messages are.
func (c *Console) EncodeTold(v any) error { return encode(c.Out, c.screen.secrets.Load(), v, "  ") }

func encode(out io.Writer, secrets *redact.Secrets, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := out.Write(printable.JSON(secrets.JSON(b.Bytes())))
	return err
}

// Messages is standard error for messages in JSON: it escapes the hidden characters that
// their encoder doesn't. One write is one line.
func (c *Console) Messages() io.Writer { return jsonLines{c.screen} }

type jsonLines struct{ screen *screen }

// Write implements [io.Writer].
func (j jsonLines) Write(p []byte) (int, error) {
	if _, err := j.screen.writeTo(j.screen.to, printable.JSON(j.screen.secrets.Load().JSON(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
