// Package network tests the program against real servers: nginx in front of GitLab, nginx
// as object storage, and tinyproxy.
package network

import (
	"testing"

	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
