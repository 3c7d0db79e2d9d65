package page

import (
	"fmt"
	"io"
)

// fileView is a Site in one file.
type fileView struct {
	Text     string
	Findings []detailView
	Services []serviceView
	Rows     []rowView
	More     int
}

// maxInFile is the maximum number of findings, and of services, in a file.
const maxInFile = 50

// WriteFile writes a Site as one self-contained HTML file, to attach to an issue. The file begins
// with summary, such as a verdict. If summary is empty and there are no findings, the file begins
// with what that means.
func WriteFile(w io.Writer, s *Site, o Options, summary string) error {
	r := &renderer{site: s, options: o.orDefaults(), links: links{file: true}}
	v := fileView{Text: truncate(summary, maxEvidence)}
	if v.Text == "" && len(s.Findings) == 0 {
		v.Text = r.noLeaks().Text
	}
	for i := range s.Findings {
		if i < maxInFile {
			v.Findings = append(v.Findings, r.detail(&s.Findings[i]))
			v.Rows = append(v.Rows, r.row(&s.Findings[i]))
		}
	}
	v.More = len(s.Findings) - len(v.Rows)
	for i := range s.Services {
		if i < maxInFile {
			v.Services = append(v.Services, r.service(&s.Services[i]))
		}
	}
	page := r.page("Goroutine leaks", "", v)
	page.Live = false
	err := templates().ExecuteTemplate(w, "file", struct {
		pageView
		Policy string
	}{page, "default-src 'none'; img-src data:; style-src " + styleSheetHash()})
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}
