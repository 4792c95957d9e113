"""The second front door: local pages over a workspace. They ask the pipeline, and show it inert."""
