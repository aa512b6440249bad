package house

import (
	"go/ast"
	"testing"
)

// skips are the functions that may skip a test, even in CI, and why. For a missing
// program or ability, use internal/need: then CI fails.
var skips = map[string]string{
	"fetch/cache_faults_test.go TestCacheIsPrivate":               "Windows has no such modes",
	"internal/atomicfile/special_linux_test.go device":            "containers may forbid devices",
	"internal/atomicfile/special_linux_test.go TestMountedFile":   "containers may forbid mounts",
	"internal/checkout/checkout_test.go TestOddGits":              "Windows runs no shell scripts",
	"internal/redact/secrets_test.go FuzzSecrets":                 "the fuzzer found no secret",
	"test/crash/disk_linux_test.go smallDisk":                     "containers may forbid mounts",
	"test/crash/filesystems_linux_test.go exFAT":                  "containers may forbid loop devices",
	"test/crash/filesystems_linux_test.go mountExFAT":             "containers may forbid mounts",
	"test/crash/filesystems_linux_test.go TestFilesOfAnotherUser": "only root can be another user",
	"test/crash/filesystems_linux_test.go TestImmutableFile":      "containers may forbid immutable files",
	"test/delivery/image_linux_test.go TestImages":                "runs programs for amd64",
	"test/delivery/release_linux_test.go needsGoReleaser":         "takes minutes; make test-release runs it, as a job of its own",
	"test/network/network_linux_test.go TestIPv6":                 "containers may have no IPv6",
	"test/network/upload_test.go TestRunnerHelper":                "neither Debian nor npm has the runner's helper",
}

// lookers are the functions that look for a program without internal/need.
var lookers = map[string]string{
	"test/realstores/start_test.go tool":           "fails without it everywhere",
	"test/network/upload_test.go TestRunnerHelper": skips["test/network/upload_test.go TestRunnerHelper"],
}

// A test that is skipped tests nothing, so each skip needs a reason.
func TestSkips(t *testing.T) {
	t.Parallel()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, s := range all {
		if !s.test || s.pkg == "internal/need" {
			continue
		}
		for _, d := range s.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := s.path + " " + f.Name.Name
			ast.Inspect(f, func(n ast.Node) bool {
				switch called(n) {
				case "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "b.Skipf", "b.SkipNow":
					found[name] = true
				case "exec.LookPath":
					if lookers[name] != "" {
						break
					}
					t.Errorf("%s looks for a program: use internal/need, which fails in CI", name)
				}
				return true
			})
		}
	}
	for name := range found {
		if skips[name] == "" {
			t.Errorf("%s skips a test: use internal/need, which fails in CI, or give a reason here", name)
		}
	}
	for name := range skips {
		if !found[name] {
			t.Errorf("%s skips nothing: remove its exception", name)
		}
	}
}

// called returns the function that a node calls, such as "t.Skip", or an empty string.
func called(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return ""
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if of, ok := method.X.(*ast.Ident); ok {
		return of.Name + "." + method.Sel.Name
	}
	return ""
}
