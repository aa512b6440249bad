// Artifetch fetches the artifacts of GitLab CI jobs.
package main

import "gitlab.com/artifetch/artifetch/internal/program"

func main() { program.Main() }
