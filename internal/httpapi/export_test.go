package httpapi

import "strconv"

// Statuses are the statuses of all codes. What the schema of problems does not list is
// there with status 0.
func Statuses() map[string]string {
	all := make(map[string]string)
	for code := range statuses {
		all[string(code)] = "0"
	}
	for _, code := range codeNames() {
		all[string(code)] = strconv.Itoa(statuses[code])
	}
	return all
}
