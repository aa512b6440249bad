package house

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gitlab.com/artifetch/artifetch"

// A floor is how far up a package is. Imports only go down: docs/design.md explains why.
type floor int

const (
	mechanism   floor = iota // does one thing; imports what its room lists
	console                  // what is shown; imports what its room lists
	capability               // something that users want done; also imports every mechanism
	commandLine              // also imports capabilities, the console and every mechanism
	process                  // the command line as a process
	tool                     // not part of the program; imports what its room lists
)

// room is a package's place: its floor, and what it imports beyond what the floor allows.
type room struct {
	floor   floor
	imports []string
}

// rooms lists every package. A new package needs a line here.
var rooms = map[string]room{
	".":                {process, []string{"internal/program"}},
	"internal/program": {process, []string{"internal/cli", "internal/openfiles"}},

	"internal/cli":                   {commandLine, []string{"internal/cli/internal/arrange", "internal/cli/internal/complete", "internal/cli/internal/failure", "internal/cli/internal/dotenv", "internal/cli/internal/help", "internal/cli/internal/meant", "internal/cli/internal/messages"}},
	"internal/cli/internal/arrange":  {commandLine, nil},
	"internal/cli/internal/dotenv":   {commandLine, nil},
	"internal/cli/internal/failure":  {commandLine, []string{"internal/cli/internal/arrange", "internal/cli/internal/dotenv"}},
	"internal/cli/internal/help":     {commandLine, nil},
	"internal/cli/internal/complete": {commandLine, nil},
	"internal/cli/internal/meant":    {commandLine, []string{"internal/cli/internal/arrange"}},
	"internal/cli/internal/messages": {commandLine, nil},

	"internal/console": {console, []string{"internal/printable", "internal/redact", "internal/ctxio"}},

	"internal/retrieve": {capability, nil},
	"internal/pin":      {capability, []string{"internal/retrieve"}},
	"internal/doctor":   {capability, nil},
	"internal/jobs":     {capability, nil},
	"internal/checkout": {capability, nil},

	"extract":                   {mechanism, []string{"extract/internal/archive", "extract/internal/codec", "extract/internal/names", "extract/internal/sevenzip", "extract/internal/staging", "extract/internal/unzip", "extract/internal/zipfile", "internal/space"}},
	"extract/internal/staging":  {mechanism, []string{"extract/internal/archive", "extract/internal/names", "internal/filelock", "internal/openfiles", "internal/sleep"}},
	"extract/internal/unzip":    {mechanism, []string{"extract/internal/archive", "extract/internal/codec", "extract/internal/zipfile", "internal/inflate"}},
	"extract/internal/sevenzip": {mechanism, []string{"extract/internal/archive", "extract/internal/codec"}},
	"extract/internal/zipfile":  {mechanism, []string{"extract/internal/archive"}},
	"extract/internal/names":    {mechanism, []string{"extract/internal/archive", "internal/printable"}},
	"extract/internal/codec":    {mechanism, []string{"extract/internal/archive"}},
	"extract/internal/archive":  {mechanism, nil},

	"env":                 {mechanism, []string{"internal/origin", "internal/redact", "internal/smallfile"}},
	"gitlab":              {mechanism, []string{"internal/redact"}},
	"resolve":             {mechanism, []string{"gitlab", "internal/similar"}},
	"manifest":            {mechanism, []string{"internal/digest", "internal/printable", "internal/similar", "internal/smallfile", "resolve"}},
	"fetch":               {mechanism, []string{"internal/atomicfile", "internal/digest", "internal/filelock", "internal/lateheader", "internal/openfiles", "internal/origin", "internal/redact", "internal/sleep", "internal/smallfile", "internal/space"}},
	"internal/transport":  {mechanism, []string{"internal/lateheader", "internal/openfiles", "internal/origin", "internal/redact", "internal/sleep", "internal/smallfile"}},
	"internal/atomicfile": {mechanism, []string{"internal/ctxio", "internal/filelock"}},
	"internal/ctxio":      {mechanism, nil},
	"internal/digest":     {mechanism, []string{"internal/ctxio"}},
	"internal/inflate":    {mechanism, nil},
	"internal/filelock":   {mechanism, []string{"internal/sleep"}},
	"internal/lateheader": {mechanism, nil},
	"internal/openfiles":  {mechanism, nil},
	"internal/origin":     {mechanism, nil},
	"internal/printable":  {mechanism, nil},
	"internal/redact":     {mechanism, nil},
	"internal/similar":    {mechanism, nil},
	"internal/sleep":      {mechanism, nil},
	"internal/smallfile":  {mechanism, []string{"internal/ctxio"}},
	"internal/space":      {mechanism, nil},
	"internal/webaddress": {mechanism, []string{"resolve"}},

	"internal/gitlabtest":            {tool, []string{"internal/gitlabtest/access", "internal/gitlabtest/answer", "internal/gitlabtest/asked", "internal/gitlabtest/deadend", "internal/gitlabtest/entity", "internal/gitlabtest/feature", "internal/gitlabtest/predefined", "internal/gitlabtest/storage", "internal/gitlabtest/world"}},
	"internal/gitlabtest/access":     {tool, []string{"internal/gitlabtest/answer", "internal/gitlabtest/asked", "internal/gitlabtest/world"}},
	"internal/gitlabtest/answer":     {tool, []string{"internal/gitlabtest/world"}},
	"internal/gitlabtest/asked":      {tool, nil},
	"internal/gitlabtest/deadend":    {tool, nil},
	"internal/gitlabtest/entity":     {tool, []string{"internal/gitlabtest/answer", "internal/gitlabtest/world"}},
	"internal/gitlabtest/feature":    {tool, nil},
	"internal/gitlabtest/predefined": {tool, []string{"internal/gitlabtest/entity", "internal/gitlabtest/feature", "internal/gitlabtest/world"}},
	"internal/gitlabtest/simulate":   {tool, []string{"internal/gitlabtest"}},
	"internal/gitlabtest/storage":    {tool, []string{"internal/gitlabtest/answer", "internal/gitlabtest/world"}},
	"internal/gitlabtest/world":      {tool, nil},
	"internal/console/consoletest":   {tool, nil},
	"extract/internal/ziptest":       {tool, nil},
	"internal/need":                  {tool, nil},
	"internal/demo":                  {tool, []string{"internal/gitlabtest"}},
	"internal/bench":                 {tool, []string{"internal/bench/slownet", "internal/gitlabtest", "internal/inflate"}},
	"internal/bench/slownet":         {tool, nil},
	"internal/sbom":                  {tool, nil},
	"test/internal/harness":          {tool, []string{"internal/gitlabtest", "internal/program"}},
	"test/terminal/staged":           {tool, []string{"internal/cli"}},
}

// may reports whether one package may import another.
func (r room) may(imported string) bool {
	other, known := rooms[imported]
	switch {
	case slices.Contains(r.imports, imported):
		return true
	case r.floor == capability:
		return known && other.floor == mechanism
	case r.floor == commandLine:
		return known && other.floor < commandLine
	}
	return false
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, s := range program(t) {
		r, known := rooms[s.pkg]
		if !known {
			t.Errorf("%s: package %s has no room in test/house/imports_test.go", s.path, s.pkg)
		}
		for _, imported := range s.imported(t) {
			if own, ok := strings.CutPrefix(imported, module+"/"); ok && !r.may(own) {
				t.Errorf("%s may not import %s", s.path, own)
			}
		}
	}
}

func (s source) imported(t *testing.T) (paths []string) {
	t.Helper()
	for _, spec := range s.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, imported)
	}
	return paths
}

// Rooms don't list imports that go up: mechanisms and the console only import mechanisms,
// a capability doesn't import the console, and the program imports no tool.
func TestFloors(t *testing.T) {
	t.Parallel()
	for pkg, r := range rooms {
		for _, imported := range r.imports {
			other, known := rooms[imported]
			up := other.floor > r.floor || r.floor == console && other.floor == console || r.floor == capability && other.floor == console
			if !known || up {
				t.Errorf("the room of %s may not list %s", pkg, imported)
			}
		}
	}
}

// owners are the only files or directories that may import a library: replacing the
// library only affects them.
var owners = map[string][]string{
	"github.com/urfave/cli/":            {"internal/cli/"},
	"github.com/rs/zerolog":             {"internal/cli/"}, // other packages return values or call back
	"github.com/sethvargo/go-envconfig": {"env/", "internal/cli/"},
	"github.com/cenkalti/backoff/":      {"internal/transport/"},
	"github.com/mholt/archiver/":        {"extract/archiver.go"},
}

func TestLibrariesHaveOwners(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range program(t) {
		for _, imported := range s.imported(t) {
			for library, places := range owners {
				if !strings.HasPrefix(imported, library) {
					continue
				}
				used[library] = true
				if !slices.ContainsFunc(places, func(place string) bool { return strings.HasPrefix(s.path, place) }) {
					t.Errorf("%s imports %s, which is for %v alone", s.path, imported, places)
				}
			}
		}
	}
	for library := range owners {
		if !used[library] {
			t.Errorf("nothing imports %s", library)
		}
	}
}
