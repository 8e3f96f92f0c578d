"""A practice management system that is a FastAPI application, with video visits mounted at /video."""

from fastapi import FastAPI

from vsdk import Settings, VideoSdk

video = VideoSdk(Settings.load("vsdk.toml"))
pms = FastAPI(lifespan=video.lifespan)
pms.mount("/video", video)
