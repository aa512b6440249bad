package gitlabtest

// Features are the names in the table of versions.
func Features() []string {
	var names []string
	for f := range versions {
		names = append(names, string(f))
	}
	return names
}
