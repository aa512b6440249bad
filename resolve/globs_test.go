package resolve

import "testing"

func TestCompile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		yes  []string
		no   []string
	}{
		{"test 1/3", []string{"test 1/3"}, []string{"test 1/30", "Test 1/3"}},
		{"test *", []string{"test 1/3", "test "}, []string{"test", "a test 1"}},
		{"build: [linux, *]", []string{"build: [linux, amd64]"}, []string{"build: l", "build: [macos, arm64]"}},
		{"build: [linux, amd64]", []string{"build: [linux, amd64]"}, []string{"build: l"}},
		{"{lint,test}:?", []string{"lint:1", "test:x"}, []string{"lint:10", "lint,test:1"}},
		{"a,b{c,d}e,f*", []string{"a,bce,fg", "a,bde,f"}, []string{"a"}},
		{"a.b*", []string{"a.bc"}, []string{"axbc"}},
		{"open{brace*", []string{"open{brace", "open{brace x"}, []string{"openbrace"}},
		{"c++", []string{"c++"}, []string{"ccc"}},
	}
	for _, tt := range tests {
		re := compile(tt.name)
		for _, job := range tt.yes {
			if !re.MatchString(job) {
				t.Errorf("%q does not match %q", tt.name, job)
			}
		}
		for _, job := range tt.no {
			if re.MatchString(job) {
				t.Errorf("%q matches %q", tt.name, job)
			}
		}
	}
}
