"""The Laravel back end (`laravel-model-api` contract): registry of cameras and receiver of reports."""
