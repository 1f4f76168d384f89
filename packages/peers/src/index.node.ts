// What of it needs files and DNS. For Node.
export {};
