# The portal in a container, for those who deploy with containers. It serves on 8080, keeps its files in /data,
# and takes its database from ConnectionStrings__Portal. VMs run on hosts that are reached over SSH, never in here.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
# First what decides about packages alone, so that a change of code does not fetch them anew.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Portal.Kernel/*.csproj src/Portal.Kernel/packages.lock.json src/Portal.Kernel/
COPY src/Portal.Engine/*.csproj src/Portal.Engine/packages.lock.json src/Portal.Engine/
COPY src/Portal.App/*.csproj src/Portal.App/packages.lock.json src/Portal.App/
COPY src/Portal.Web/*.csproj src/Portal.Web/packages.lock.json src/Portal.Web/
COPY migrations/*.csproj migrations/packages.lock.json migrations/
RUN dotnet restore src/Portal.Web/Portal.Web.csproj --locked-mode
COPY src src
COPY migrations migrations
COPY wwwroot wwwroot
RUN dotnet publish src/Portal.Web/Portal.Web.csproj -c Release --no-restore -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# The images' own user without rights; 0711 as ./portal makes it.
RUN mkdir -m 711 /data && chown "$APP_UID" /data
WORKDIR /app
COPY --from=build /app .
USER $APP_UID
ENV ASPNETCORE_URLS=http://+:8080 PORTAL_DATA=/data
VOLUME /data
EXPOSE 8080
# The image has no curl; bash opens the connection itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/live HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["dotnet", "Portal.Web.dll"]
