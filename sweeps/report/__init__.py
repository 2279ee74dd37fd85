"""The report of a study or of run folders: one HTML page that opens from disk. `python -m sweeps.report STUDY`.

read_study.py and read_run_folders.py read what sweeps and runs have left. Each section is a file with one function
`section`, which takes a Report and gives a Section. page.py puts the sections into one page.
"""
