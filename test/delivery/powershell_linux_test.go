package delivery

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gitlab.com/artifetch/artifetch/internal/need"
	"gitlab.com/artifetch/artifetch/test/internal/harness"
)

// syntax is a node of a script in PowerShell, as tree-sitter parses it.
type syntax struct {
	Type, Text string
	Kids       []syntax
}

// parser prints the syntax of standard input as JSON, or null if it has errors.
const parser = `
const {Parser, Language} = require("web-tree-sitter")
const nodes = (n) => ({Type: n.type, Text: n.text, Kids: n.children.map(nodes)})
Parser.init().then(() => Language.load(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm"))).then((language) => {
  const p = new Parser()
  p.setLanguage(language)
  const root = p.parse(require("fs").readFileSync(0, "utf8")).rootNode
  console.log(JSON.stringify(root.hasError ? null : nodes(root)))
})
`

// parsed returns nil if the script has syntax errors. There is no PowerShell in the packages
// that CI can install, but there is a parser.
func parsed(t *testing.T, script string) (root *syntax) {
	t.Helper()
	modules := absolute(t, filepath.Join(harness.Root, ".cache/powershell/node_modules"))
	if _, err := os.Stat(modules); err != nil {
		need.Skipf(t, "there is no parser of PowerShell: .ci/tools installs it")
	}
	cmd := exec.CommandContext(t.Context(), need.Tools(t, "node"), "--liftoff-only", "-e", parser) // without the optimizer, which takes a minute
	cmd.Stdin, cmd.Env = strings.NewReader(script), append(os.Environ(), "NODE_PATH="+modules)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &root)
	}
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// all returns the nodes of a type, in the script's order.
func (n *syntax) all(kind string) (found []*syntax) {
	if n.Type == kind {
		found = append(found, n)
	}
	for i := range n.Kids {
		found = append(found, n.Kids[i].all(kind)...)
	}
	return found
}

// words are a command's arguments, expanded.
func (n *syntax) words(variables ...string) (words []string) {
	for _, kid := range n.all("command_elements")[0].Kids {
		if kid.Type != "command_argument_sep" {
			words = append(words, expanded(kid.Text, variables...))
		}
	}
	return words
}

// commands are the commands of a name.
func (n *syntax) commands(name string) (found []*syntax) {
	for _, c := range n.all("command") {
		if c.all("command_name")[0].Text == name {
			found = append(found, c)
		}
	}
	return found
}

// set returns the text that the script first sets a variable to.
func (n *syntax) set(t *testing.T, name string) string {
	t.Helper()
	for _, a := range n.all("assignment_expression") {
		if before, value, _ := strings.Cut(a.Text, " = "); before == name {
			return value
		}
	}
	t.Fatalf("the script doesn't set %s", name)
	return ""
}

// expanded is a literal with its variables, as pairs of names and values, replaced.
func expanded(literal string, variables ...string) string {
	if text, ok := strings.CutPrefix(literal, "'"); ok {
		return strings.TrimSuffix(text, "'")
	}
	return strings.NewReplacer(append(variables, "`$", "$", `"`, "")...).Replace(literal)
}

// Both scripts for PowerShell have no syntax errors, in the code page of any Windows.
func TestPowerShellSyntax(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"install.ps1", "internal/cli/internal/complete/scripts/powershell.ps1"} {
		script := harness.Read(t, name)
		if parsed(t, script) == nil || strings.ContainsFunc(script, func(r rune) bool { return r > '~' || r == '\r' }) {
			t.Errorf("%s has syntax errors, or isn't ASCII", name)
		}
		if parsed(t, script[:strings.LastIndex(script, "}")]) != nil {
			t.Errorf("%s without its end has no syntax errors", name)
		}
	}
}

// cmdlets are those of Windows PowerShell 5.1 that install.ps1 may use, with parameters:
// https://learn.microsoft.com/en-us/powershell/module/?view=powershell-5.1
var cmdlets = map[string]string{
	"Copy-Item": "-LiteralPath -Destination", "Expand-Archive": "-LiteralPath -DestinationPath", "Get-Command": "-ErrorAction",
	"Get-Content": "-LiteralPath", "Get-FileHash": "-Algorithm -LiteralPath", "Join-Path": "", "Move-Item": "-Force -LiteralPath -Destination",
	"New-Item": "-ItemType -Path -Force", "Out-Null": "", "Remove-Item": "-Recurse -Force -LiteralPath -ErrorAction",
	"Set-Content": "-LiteralPath -Encoding -Value", "Where-Object": "", "Write-Output": "",
}

// install.ps1 uses only what Windows PowerShell 5.1 has and what it sets itself, with the
// exit codes of install.sh, and verifies everything before it unpacks anything.
func TestInstallPowerShell(t *testing.T) {
	t.Parallel()
	root := parsed(t, harness.Read(t, "install.ps1"))
	known := []string{"$_", "$matches", "$lastexitcode"}
	functions := []string{"curl.exe", "cosign"}
	for _, f := range root.all("function_name") {
		functions = append(functions, f.Text)
	}
	for _, n := range slices.Concat(root.all("script_parameter"), root.all("left_assignment_expression")) {
		known = append(known, strings.ToLower(n.all("variable")[0].Text))
	}
	for _, v := range root.all("variable") {
		name := strings.ToLower(v.Text)
		ours := regexp.MustCompile(`^\$env:(artifetch_(url|version|dir|checksums_sha256|signer(_key)?)|processor_archite(w6432|cture)|localappdata)$`)
		if !slices.Contains(known, strings.Replace(name, "@", "$", 1)) && !ours.MatchString(name) {
			t.Errorf("%s is never set", v.Text)
		}
	}
	var steps []string
	for _, c := range root.all("command") {
		name := c.all("command_name")[0].Text
		parameters, isCmdlet := cmdlets[name]
		for _, p := range c.all("command_parameter") {
			if isCmdlet && !slices.Contains(strings.Fields(parameters), p.Text) {
				t.Errorf("%s has no %s", name, p.Text)
			}
		}
		if !isCmdlet && !slices.Contains(functions, name) {
			t.Errorf("there is no command %s", name)
		}
		if slices.Contains([]string{"Save-File", "Confirm-Digest", "cosign", "Expand-Archive", "Move-Item"}, name) {
			steps = append(steps, strings.Join(append([]string{name}, c.words()[0]), " "))
		}
	}
	want := []string{
		"Save-File checksums.txt", "Confirm-Digest checksums.txt", "Save-File checksums.txt.sigstore.json", "cosign verify-blob",
		"Save-File $release.zip", "Confirm-Digest $release.zip", "Expand-Archive -LiteralPath", "Move-Item -Force",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("the steps are %q, want %q", steps, want)
	}
	for _, c := range root.commands("Fail") {
		if code := c.words()[0]; !slices.Contains([]string{"2", "6", "7", "9"}, code) {
			t.Errorf("%s: install.sh has no such exit code", c.Text)
		}
	}
}

// Of a release's checksums.txt, install.ps1 chooses the archive for Windows, whose program
// is where it copies it from; cosign gets the flags that install.sh gives it.
func TestInstallPowerShellNames(t *testing.T) {
	t.Parallel()
	root := parsed(t, harness.Read(t, "install.ps1"))
	names, targets := released(t)
	for _, p := range targets {
		archive, of := chosen(t, root, strings.Repeat("a", 64)+"  "+strings.Join(names, "\n"+strings.Repeat("a", 64)+"  "), p.arch)
		if p.os == "windows" && (archive != p.archive() || of != "v1.2.3") || p.arch == "s390x" && archive != "" {
			t.Errorf("on %s, install.ps1 chooses %q of %q", p, archive, of)
		}
	}
	issuer := regexp.MustCompile(expanded(regexp.MustCompile(`'\^[^']+'`).FindString(root.set(t, "$issuer")))).ReplaceAllString("https://gitlab.example.com/group/artifetch", "$1")
	flags := strings.NewReplacer("@(", "", ")", "", "'", "", `"`, "", ",", "", "$signer", signer, "$tag", "v1.2.3", "$issuer", issuer).Replace(root.set(t, "$who"))
	if flags != "--certificate-identity https://gitlab.com/artifetch/artifetch//.gitlab-ci.yml@refs/tags/v1.2.3 --certificate-oidc-issuer https://gitlab.example.com" {
		t.Errorf("cosign %s", flags)
	}
	if got := strings.Join(root.commands("cosign")[0].words("$work", "W"), " "); got != `verify-blob --new-bundle-format --bundle W\checksums.txt.sigstore.json @who W\checksums.txt` {
		t.Errorf("cosign %s", got)
	}
	script, sh := harness.Read(t, "install.ps1"), harness.Read(t, "install.sh")
	for _, same := range []string{"'--insecure-ignore-tlog', '--trusted-root'", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`, signer} {
		if !strings.Contains(script, same) || !strings.Contains(sh, strings.NewReplacer("'", "", ",", "").Replace(same)) {
			t.Errorf("one installer has no %s", same)
		}
	}
}

// chosen applies the pattern of install.ps1 to checksums.
func chosen(t *testing.T, root *syntax, checksums, arch string) (archive, version string) {
	t.Helper()
	pattern := regexp.MustCompile(expanded(root.set(t, "$pattern"), "$arch", arch))
	for line := range strings.Lines(checksums) {
		if m := pattern.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			if archive != "" {
				t.Errorf("%s, and %s", archive, m[2])
			}
			archive, version = m[2]+".zip", m[3]
		}
	}
	return archive, version
}

// install.ps1 downloads with curl, so that this one can show what its flags do: files come
// by https alone, whatever the server says, and whole.
func TestInstallPowerShellDownloads(t *testing.T) {
	t.Parallel()
	save := parsed(t, harness.Read(t, "install.ps1")).commands("curl.exe")
	if len(save) != 1 {
		t.Fatalf("%d commands", len(save))
	}
	plain := newShelf(t, nil)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved.txt":
			http.Redirect(w, r, "/release/checksums.txt", http.StatusFound)
		case "/plain.txt":
			http.Redirect(w, r, plain.URL+"/release/checksums.txt", http.StatusFound)
		case "/cut.txt":
			w.Header().Set("Content-Length", "9")
		default:
			plain.give(w, r)
		}
	}))
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url, file string
		ok        bool
	}{
		{secure.URL + "/release", "checksums.txt", true},
		{secure.URL, "moved.txt", true},
		{secure.URL, "plain.txt", false},
		{plain.URL + "/release", "checksums.txt", false},
		{secure.URL, "missing.txt", false},
		{secure.URL, "cut.txt", false},
	} {
		dir := t.TempDir()
		args := save[0].words("$work", dir, "$Name", tt.file, "$Url", tt.url, `\`, "/")
		cmd := exec.CommandContext(t.Context(), need.Tools(t, "curl"), slices.DeleteFunc(args, func(a string) bool { return a == "--retry" || a == "3" })...)
		cmd.Env = []string{"CURL_CA_BUNDLE=" + ca, "NO_PROXY=*", "HOME=" + dir}
		out, err := cmd.CombinedOutput()
		if (err == nil) != tt.ok {
			t.Errorf("%s/%s: %v: %s", tt.url, tt.file, err, out)
		}
		if got, _ := os.ReadFile(filepath.Join(dir, tt.file)); tt.ok && string(got) != plain.files["checksums.txt"] {
			t.Errorf("%s/%s: %q", tt.url, tt.file, got)
		}
	}
}

// checkPowerShell follows install.ps1 through a release for Windows.
func checkPowerShell(t *testing.T, dist string) {
	t.Helper()
	root := parsed(t, harness.Read(t, "install.ps1"))
	archive, version := chosen(t, root, readFile(t, filepath.Join(dist, "checksums.txt")), "amd64")
	if version != releaseVersion {
		t.Fatalf("install.ps1 chooses %q of %q", archive, version)
	}
	dir := t.TempDir()
	command(t, dir, "unzip", "-q", absolute(t, filepath.Join(dist, archive)))
	program := root.commands("Copy-Item")[0].words("$work", dir, "$release", strings.TrimSuffix(archive, ".zip"), `\`, "/")[1]
	if content := readFile(t, program); !strings.HasPrefix(content, "MZ") {
		t.Errorf("%s isn't a program for Windows", program)
	}
}
