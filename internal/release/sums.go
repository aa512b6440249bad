package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const sumsName = "checksums.txt"

// writeSums writes the SHA-256 of every file, as sha256sum does.
func writeSums(o options) error {
	var b bytes.Buffer
	err := filepath.WalkDir(o.out, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(o.out, path)
		if err != nil {
			return err
		}
		if name == rootfsName {
			return filepath.SkipDir
		}
		if d.IsDir() || name == sumsName {
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil {
			_, _ = fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(content), filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		return err
	}
	return o.writeFile(filepath.Join(o.out, sumsName), b.Bytes(), 0o644)
}
